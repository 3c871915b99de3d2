/**
 * Image references: `[domain/]path[:tag][@digest]`, as docker reads them (distribution/reference grammar and docker's defaulting of names).
 */

import { type Digest, isDigest } from '../../../specs/image/digest.ts';
import { ImageError } from '../base/errors.ts';

export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Repository path without the domain: `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  /** When both are given the digest decides and the tag is decoration. */
  readonly digest?: Digest;
}

/** A name that follows no reference's grammar. The message says which part and why. */
export class InvalidReferenceError extends ImageError {
  constructor(text: string, problem: string) {
    super('reference', `invalid reference ${JSON.stringify(text)}: ${problem}`);
    this.name = 'InvalidReferenceError';
  }
}

export const DEFAULT_DOMAIN = 'docker.io';
export const DEFAULT_TAG = 'latest';
const OFFICIAL_PREFIX = 'library/';
/** Domain and path together. */
const MAX_NAME_LENGTH = 255;

const domainLabel = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(`^(?:${domainLabel}(?:\\.${domainLabel})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const pathPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Reads a reference as a user writes it; the domain is always filled in, a tag never is (see withDefaultTag). Throws InvalidReferenceError. */
export function parseReference(text: string): Reference {
  if (text === '') throw new InvalidReferenceError(text, 'it is empty');
  if (/^[a-f0-9]{64}$/.test(text)) throw new InvalidReferenceError(text, '64 hex digits are an image id, not a name');
  const { name, tag, digest } = splitSuffixes(text);
  const { domain, path } = splitDomain(name);
  if (!domainPattern.test(domain)) throw new InvalidReferenceError(text, `${JSON.stringify(domain)} is not a registry host`);
  if (path !== path.toLowerCase()) throw new InvalidReferenceError(text, `repository name (${path}) must be lowercase`);
  if (!pathPattern.test(path))
    throw new InvalidReferenceError(
      text,
      path === '' ? 'the repository name is missing' : `${JSON.stringify(path)} is not a repository name`,
    );
  if (domain.length + 1 + path.length > MAX_NAME_LENGTH)
    throw new InvalidReferenceError(text, `the name is longer than ${MAX_NAME_LENGTH} characters`);
  if (tag !== undefined && !tagPattern.test(tag)) throw new InvalidReferenceError(text, `${JSON.stringify(tag)} is not a tag`);
  if (digest !== undefined && !isDigest(digest)) throw new InvalidReferenceError(text, `${JSON.stringify(digest)} is not a digest`);
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference with `latest`, if it has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/** `domain/path`, in full. */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The full spelling, with everything that was defaulted: what the store keys images by. */
export function formatReference(reference: Reference): string {
  return repositoryName(reference) + suffix(reference);
}

/** The short spelling docker shows: without `docker.io/` and `library/`. Reads back as the same reference. */
export function familiarReference(reference: Reference): string {
  return familiarRepository(reference) + suffix(reference);
}

export function familiarRepository(reference: Reference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return repositoryName(reference);
  const rest = reference.path.slice(OFFICIAL_PREFIX.length);
  // `docker.io/library/a/b` must keep its prefix: `a/b` would be another repository.
  return reference.path.startsWith(OFFICIAL_PREFIX) && !rest.includes('/') ? rest : reference.path;
}

function suffix(reference: Reference): string {
  return (reference.tag === undefined ? '' : `:${reference.tag}`) + (reference.digest === undefined ? '' : `@${reference.digest}`);
}

function splitSuffixes(text: string): { name: string; tag?: string; digest?: string } {
  const at = text.indexOf('@');
  const named = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? {} : { digest: text.slice(at + 1) };
  // A colon before the last slash belongs to the port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return colon < 0 ? { name: named, ...digest } : { name: named.slice(0, colon), tag: named.slice(colon + 1), ...digest };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = first !== '' && (/[.:[]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (slash === 0) return { domain: '', path: name.slice(1) };
  if (!isDomain) return official(DEFAULT_DOMAIN, name);
  return official(first === 'index.docker.io' ? DEFAULT_DOMAIN : first, name.slice(slash + 1));
}

function official(domain: string, path: string): { domain: string; path: string } {
  return { domain, path: domain === DEFAULT_DOMAIN && path !== '' && !path.includes('/') ? OFFICIAL_PREFIX + path : path };
}
