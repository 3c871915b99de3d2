/**
 * Stored logins: docker's config.json with its credential helpers, and containers' auth.json (containers-auth.json(5)).
 * Order: `REGISTRY_AUTH_FILE` alone if it is set; else docker's file (a helper for the host, the default store, then `auths`), then containers' files.
 */

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isObject, type JsonObject } from '../../../specs/image/shape.ts';
import { ImageError, isNodeError } from '../base/errors.ts';
import type { Credentials } from './auth.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Docker Hub's key, a leftover of its first API. */
const HUB_KEY = 'https://index.docker.io/v1/';

/** Looks a login up. `path` is the repository's: containers' files may have logins for parts of a registry. */
export async function findCredentials(env: Environment, host: string, path = ''): Promise<Credentials | undefined> {
  const only = env['REGISTRY_AUTH_FILE'];
  if (only !== undefined && only !== '') return await fromFile(only, host, path, env);
  for (const file of [dockerConfigPath(env), ...containersAuthPaths(env)]) {
    const found = file === undefined ? undefined : await fromFile(file, host, path, env);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Stores a login where docker would. */
export async function storeCredentials(env: Environment, host: string, login: { username: string; password: string }): Promise<void> {
  const file = writablePath(env);
  const config = readConfig(file);
  const key = keyOf(host);
  const helper = helperFor(config, host);
  if (helper !== undefined) {
    await runHelper(helper, 'store', JSON.stringify({ ServerURL: key, Username: login.username, Secret: login.password }), env);
    writeConfig(file, { ...config, auths: { ...authsOf(config), [key]: {} } });
    return;
  }
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  writeConfig(file, { ...config, auths: { ...authsOf(config), [key]: { auth } } });
}

/** Forgets a login. Returns whether there was one. */
export async function eraseCredentials(env: Environment, host: string): Promise<boolean> {
  const file = writablePath(env);
  const config = readConfig(file);
  const helper = helperFor(config, host);
  if (helper !== undefined) await runHelper(helper, 'erase', keyOf(host), env);
  const auths = authsOf(config);
  const rest = Object.fromEntries(Object.entries(auths).filter(([key]) => hostOfKey(key) !== hostOfKey(keyOf(host))));
  const had = Object.keys(rest).length < Object.keys(auths).length;
  if (had) writeConfig(file, { ...config, auths: rest });
  return had || helper !== undefined;
}

export function dockerConfigPath(env: Environment): string | undefined {
  if (env['DOCKER_CONFIG'] !== undefined && env['DOCKER_CONFIG'] !== '') return join(env['DOCKER_CONFIG'], 'config.json');
  return env['HOME'] === undefined || env['HOME'] === '' ? undefined : join(env['HOME'], '.docker/config.json');
}

function containersAuthPaths(env: Environment): string[] {
  const paths: string[] = [];
  if (env['XDG_RUNTIME_DIR'] !== undefined) paths.push(join(env['XDG_RUNTIME_DIR'], 'containers/auth.json'));
  if (env['XDG_CONFIG_HOME'] !== undefined) paths.push(join(env['XDG_CONFIG_HOME'], 'containers/auth.json'));
  else if (env['HOME'] !== undefined) paths.push(join(env['HOME'], '.config/containers/auth.json'));
  return paths;
}

function writablePath(env: Environment): string {
  const path = env['REGISTRY_AUTH_FILE'] ?? dockerConfigPath(env);
  if (path === undefined) throw new ImageError('credentials', 'neither DOCKER_CONFIG nor HOME says where logins are stored');
  return path;
}

async function fromFile(file: string, host: string, path: string, env: Environment): Promise<Credentials | undefined> {
  const config = readConfig(file);
  const helper = helperFor(config, host);
  const helped = helper === undefined ? undefined : await askHelper(helper, keyOf(host), env);
  return helped ?? fromAuths(authsOf(config), host, path);
}

/** The most special key wins: `host/team/app`, `host/team`, `host`. Docker's old keys are URLs. */
function fromAuths(auths: JsonObject, host: string, path: string): Credentials | undefined {
  const parts = path === '' ? [] : path.split('/');
  for (let count = parts.length; count > 0; count -= 1) {
    const found = readAuth(auths[[host, ...parts.slice(0, count)].join('/')]);
    if (found !== undefined) return found;
  }
  const wanted = hostOfKey(keyOf(host));
  const entry = Object.entries(auths).find(([key]) => hostOfKey(key) === wanted && (!key.includes('/') || /^https?:|\/v\d\/?$/.test(key)));
  return readAuth(entry?.[1]);
}

function readAuth(entry: unknown): Credentials | undefined {
  if (!isObject(entry)) return undefined;
  const text = (field: string) => (typeof entry[field] === 'string' && entry[field] !== '' ? entry[field] : undefined);
  const registryToken = text('registrytoken');
  if (registryToken !== undefined) return { registryToken };
  const identityToken = text('identitytoken');
  const [username, password] = splitAuth(text('auth')) ?? [text('username'), text('password')];
  if (identityToken !== undefined) return { identityToken, ...(username === undefined ? {} : { username }) };
  return username === undefined || password === undefined ? undefined : { username, password };
}

function splitAuth(auth: string | undefined): [string, string] | undefined {
  if (auth === undefined) return undefined;
  const decoded = Buffer.from(auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  // Docker pads with NULs in places.
  return colon < 0 ? undefined : [decoded.slice(0, colon), decoded.slice(colon + 1).replace(/\0+$/, '')];
}

function helperFor(config: JsonObject, host: string): string | undefined {
  const helpers = config['credHelpers'];
  const special = isObject(helpers) ? (helpers[host] ?? helpers[keyOf(host)]) : undefined;
  const name = special ?? config['credsStore'];
  // It becomes part of a command's name.
  return typeof name === 'string' && /^[\w.-]+$/.test(name) ? name : undefined;
}

async function askHelper(helper: string, key: string, env: Environment): Promise<Credentials | undefined> {
  const { status, output } = await spawnHelper(helper, 'get', key, env);
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw new ImageError('credentials', `docker-credential-${helper} failed: ${output.trim() || `status ${status}`}`);
  }
  const value: unknown = JSON.parse(output);
  const username = isObject(value) ? value['Username'] : undefined;
  const secret = isObject(value) ? value['Secret'] : undefined;
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw new ImageError('credentials', `docker-credential-${helper} gave no login`);
  return username === '<token>' ? { identityToken: secret } : { username, password: secret };
}

async function runHelper(helper: string, verb: string, input: string, env: Environment): Promise<void> {
  const { status, output } = await spawnHelper(helper, verb, input, env);
  if (status !== 0)
    throw new ImageError('credentials', `docker-credential-${helper} ${verb} failed: ${output.trim() || `status ${status}`}`);
}

function spawnHelper(helper: string, verb: string, input: string, env: Environment): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(`docker-credential-${helper}`, [verb], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...env } });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once('error', (cause) =>
      reject(new ImageError('credentials', `cannot run docker-credential-${helper}: ${cause.message}`, { cause })),
    );
    child.once('close', (status) => resolve({ status, output }));
    // A helper that does not read its input is no error.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function readConfig(file: string): JsonObject {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isObject(value) ? value : {};
  } catch (error) {
    if (isNodeError(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return {};
    throw new ImageError('credentials', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** Other fields stay; the file is readable by its owner alone. */
function writeConfig(file: string, config: JsonObject): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp-${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(config, undefined, '\t')}\n`, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}

function authsOf(config: JsonObject): JsonObject {
  return isObject(config['auths']) ? config['auths'] : {};
}

function keyOf(host: string): string {
  return host === 'docker.io' ? HUB_KEY : host;
}

function hostOfKey(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
