/** What a COPY or ADD step delivers: its key's inputs first, and the files themselves when the key is not known. */

import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { fromText, toText } from '../../archive/byte-string.ts';
import { searchableTree } from '../../snapshot/stacked-tree.ts';
import type { FileHashes } from '../cache/file-hashes.ts';
import type { Input } from '../cache/inputs.ts';
import type { CopyStep } from '../plan/step.ts';
import { contentInputs } from './content.ts';
import { fetchUrl, isUrl, nameInUrl } from './fetch.ts';
import { isGitSource } from './git-source.ts';
import type { Delivery } from './place.ts';
import { NO_FILTER, type Origin, type PathFilter, type Selection, selectFiles } from './select.ts';

export interface DeliveryOptions {
  readonly sys: Sys;
  /** Of the step, for what is fetched, unpacked and written. */
  readonly directory: string;
  /** Where the files of paths are. */
  readonly origin: () => Promise<Origin>;
  readonly hashes: (root: string) => FileHashes;
  readonly excludes: PathFilter;
  readonly signal: AbortSignal;
}

export interface Prepared {
  readonly inputs: readonly Input[];
  deliver(): Promise<Delivery[]>;
}

/** What of a step decides which files are taken. */
export type Wanted = Pick<CopyStep, 'sources' | 'files' | 'isAdd' | 'parents' | 'checksum' | 'keepGitDir' | 'unpack'>;

/** Throws ImageError `copy-source`, `add`, `checksum`, `git`. */
export async function prepareDeliveries(step: Wanted, options: DeliveryOptions): Promise<Prepared> {
  const parts: Prepared[] = [];
  const isRemote = (source: string): boolean => step.isAdd && (isUrl(source) || isGitSource(source));
  const paths = step.sources.filter((source) => !isRemote(source));
  if (paths.length > 0) parts.push(await pathPart(step, options, paths));
  for (const [index, source] of step.sources.filter(isRemote).entries()) parts.push(await remotePart(step, options, source, index));
  if (step.files.length > 0) parts.push(inlinePart(step, options));
  return {
    inputs: parts.flatMap(({ inputs }) => inputs),
    deliver: async () => {
      const deliveries: Delivery[] = [];
      for (const part of parts) deliveries.push(...(await part.deliver()));
      return deliveries;
    },
  };
}

async function pathPart(step: Wanted, options: DeliveryOptions, sources: readonly string[]): Promise<Prepared> {
  const { excludes } = options;
  const origin = await options.origin();
  const selections = selectFiles({ origin, sources, excludes, parents: step.parents });
  return {
    inputs: contentInputs(origin, selections, options.hashes(origin.hashRoot)),
    deliver: async () => {
      if (!step.isAdd || step.unpack === false) return [{ tree: origin.tree, selections, isForeign: origin.isForeign }];
      return await unpacked(options, origin, selections);
    },
  };
}

/** ADD puts the contents of archives in their place. */
async function unpacked(options: DeliveryOptions, origin: Origin, selections: readonly Selection[]): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const [index, selection] of selections.entries()) {
    const [file] = selection.files;
    const hostPath = selection.isFile && file !== undefined ? origin.tree.hostPath(file.path) : undefined;
    const contents = hostPath === undefined ? undefined : await archiveContents(options, toText(hostPath), `unpacked-${index}`);
    deliveries.push(contents ?? { tree: origin.tree, selections: [selection], isForeign: origin.isForeign });
  }
  return deliveries;
}

async function archiveContents(options: DeliveryOptions, hostPath: string, name: string): Promise<Delivery | undefined> {
  const { packingOf, unpackArchive } = await import('./archive.ts');
  const packing = await packingOf(hostPath);
  if (packing === undefined) return undefined;
  const directory = join(options.directory, name);
  if (!(await unpackArchive(options.sys, hostPath, packing, directory))) return undefined;
  return wholeDirectory(options, directory, { isForeign: false, name: hostPath });
}

async function remotePart(step: Wanted, options: DeliveryOptions, source: string, index: number): Promise<Prepared> {
  const directory = join(options.directory, `remote-${index}`);
  mkdirSync(directory, { recursive: true });
  if (isGitSource(source)) {
    const { fetchRepository } = await import('./git.ts');
    const repository = await fetchRepository(source, directory, {
      keepGitDirectory: step.keepGitDir === true,
      ...(step.checksum === undefined ? {} : { commit: step.checksum }),
      signal: options.signal,
    });
    return {
      inputs: [{ name: `repository ${source}`, value: `${repository.commit}${step.keepGitDir === true ? ' with its .git' : ''}` }],
      deliver: async () => [wholeDirectory(options, repository.directory, { isForeign: true, name: source })],
    };
  }
  return await urlPart(step, options, source, directory);
}

/** With a checksum the result may be found again without asking the server. */
async function urlPart({ checksum, unpack }: Wanted, options: DeliveryOptions, url: string, directory: string): Promise<Prepared> {
  const fetched = checksum === undefined ? await fetchUrl(url, directory, undefined, options.signal) : undefined;
  return {
    inputs: [{ name: `URL ${url}`, value: fetched === undefined ? `${checksum}` : `sha256:${fetched.digest}` }],
    deliver: async () => {
      const { path } = fetched ?? (await fetchUrl(url, directory, checksum, options.signal));
      const contents = unpack === true ? await archiveContents(options, path, `${basename(directory)}-unpacked`) : undefined;
      return [contents ?? oneFile(options, directory, basename(path), nameInUrl(url))];
    },
  };
}

function inlinePart(step: Wanted, options: DeliveryOptions): Prepared {
  return {
    inputs: step.files.map(({ name, content }) => ({ name: `file <<${name}`, value: createHash('sha256').update(content).digest('hex') })),
    deliver: async () => {
      const directory = join(options.directory, 'inline');
      mkdirSync(directory, { recursive: true });
      return step.files.map(({ name, content }, index) => {
        writeFileSync(join(directory, String(index)), content);
        // Whatever the umask: the mode is part of the image.
        chmodSync(join(directory, String(index)), 0o644);
        return oneFile(options, directory, String(index), name);
      });
    },
  };
}

function oneFile({ sys }: DeliveryOptions, directory: string, path: string, name: string): Delivery {
  const tree = searchableTree(sys, directory, { isRootless: false });
  const record = tree.find(fromText(path)) ?? tree.root;
  return { tree, isForeign: true, selections: [{ files: [{ path: fromText(path), target: fromText(name), record }], isFile: true, name }] };
}

function wholeDirectory(options: DeliveryOptions, directory: string, { isForeign, name }: { isForeign: boolean; name: string }): Delivery {
  const tree = searchableTree(options.sys, directory, { isRootless: false });
  const origin: Origin = { tree, filter: NO_FILTER, name, hashRoot: directory, isForeign };
  const { excludes } = options;
  return { tree, isForeign, selections: selectFiles({ origin, sources: ['.'], excludes, parents: false }) };
}
