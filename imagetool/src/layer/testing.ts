/** For tests: applying archives, and describing trees. */

import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { type Member, packMembers } from '../archive/testing.ts';
import type { ApplyOptions } from './apply.ts';
import { type UnpackResult, unpackLayer } from './unpack.ts';
import { listXattrs } from './xattrs.ts';

export const sys = createNodeSys();
export const asRoot: ApplyOptions = { whiteouts: 'remove', isRootless: false };

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export async function applyArchive(root: string, archive: Uint8Array, options: ApplyOptions = asRoot): Promise<UnpackResult> {
  return await unpackLayer(sys, once(archive), root, options);
}

export async function applyMembers(root: string, members: readonly Member[], options: ApplyOptions = asRoot): Promise<UnpackResult> {
  return await applyArchive(root, packMembers(members), options);
}

export interface DescribeOptions {
  readonly times: boolean;
  readonly directoryTimes?: boolean;
}

/**
 * A line per file: type, mode, owner, size, times, device, link target, link group, xattrs, content. Equal lists are equal trees.
 * Names are latin1, so that any bytes can be told apart.
 */
export function describeTree(root: string, options: DescribeOptions = { times: true }): string[] {
  const groups = new Map<string, string>();
  const lines: string[] = [];
  const visit = (path: string): void => {
    const full = Buffer.from(join(root, path), 'latin1');
    const status = lstatSync(full, { bigint: false });
    const times = options.times && (options.directoryTimes !== false || !status.isDirectory());
    lines.push(describeFile(path, full, status, { groups, times }));
    if (status.isDirectory()) for (const name of readdirSync(full, { encoding: 'latin1' }).sort()) visit(`${path}/${name}`);
  };
  visit('');
  return lines;
}

function describeFile(path: string, full: Buffer, status: Stats, options: { groups: Map<string, string>; times: boolean }): string {
  const identity = `${status.dev}:${status.ino}`;
  // Not by the count of links: an overlay still counts a name of its lower layer that is gone.
  const sameFile = status.isDirectory() ? undefined : options.groups.get(identity);
  options.groups.set(identity, sameFile ?? path);
  const xattrs = listXattrs(sys, full.toString('latin1'));
  return [
    path,
    status.mode.toString(8),
    `${status.uid}:${status.gid}`,
    status.isDirectory() ? '' : status.size,
    options.times ? Math.floor(status.mtimeMs / 1000) : '',
    status.isCharacterDevice() || status.isBlockDevice() ? status.rdev : '',
    status.isSymbolicLink() ? readlinkSync(full, { encoding: 'latin1' }) : '',
    sameFile ?? '',
    [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value.toString('hex')}`),
    status.isFile() ? readFileSync(full).toString('base64').slice(0, 100) : '',
  ].join(' | ');
}
