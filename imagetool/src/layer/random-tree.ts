/** For tests: random changes to a tree, from a small set of names, so that they meet. */

import { chmodSync, lchownSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fc } from '../../../.scripts/jest/fuzz.ts';
import { call } from '../../../runtime/src/linux/call.ts';
import { AT_FDCWD, S_IFCHR, S_IFIFO } from '../../../runtime/src/linux/open-flags.ts';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { isNodeError } from '../base/errors.ts';

const sys = createNodeSys();
const DEVICE_MAJOR = 7;

export interface Operation {
  readonly kind: 'file' | 'directory' | 'symlink' | 'link' | 'fifo' | 'device' | 'chmod' | 'chown' | 'xattr' | 'remove' | 'rename';
  readonly path: string;
  readonly other: string;
  readonly number: number;
}

const names = ['a', 'b', 'c', 'é'];
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Operation['kind']>(
      ...([
        'file',
        'file',
        'directory',
        'directory',
        'directory',
        'symlink',
        'link',
        'link',
        'fifo',
        'device',
        'chmod',
        'chown',
        'xattr',
        'remove',
        'rename',
      ] as const),
    ),
    path,
    other: path,
    number: fc.nat(0o7777),
  }),
  { maxLength: 25 },
);

/** Carries out what is possible; an operation that is not (no such directory, name taken) is left out. */
export function perform(root: string, list: readonly Operation[]): void {
  for (const operation of list) {
    try {
      performOne(root, operation);
    } catch (error) {
      if (!isNodeError(error, 'ENOENT', 'ENOTDIR', 'EEXIST', 'ELOOP', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'EPERM', 'EBUSY', 'EXDEV', 'ENXIO'))
        throw error;
    }
  }
}

function performOne(root: string, { kind, path: relative, other, number }: Operation): void {
  const full = join(root, relative);
  if (kind === 'file') writeFileSync(full, `content ${number}`, { flag: 'wx' });
  else if (kind === 'directory') mkdirSync(full, { mode: number });
  else if (kind === 'symlink') symlinkSync(`../${other}`, full);
  else if (kind === 'link') linkSync(join(root, other), full);
  else if (kind === 'remove') rmSync(full, { recursive: true });
  else if (kind === 'rename') renameSync(join(root, other), full);
  else if (kind === 'chown') lchownSync(full, number, number + 1);
  else if (kind === 'fifo' || kind === 'device') makeNode(full, kind, number);
  else if (kind === 'chmod' && lstatSync(full).isFile()) chmodSync(full, number);
  else if (kind === 'xattr' && (lstatSync(full).isFile() || lstatSync(full).isDirectory())) setXattr(full, number);
}

function makeNode(full: string, kind: 'fifo' | 'device', number: number): void {
  if (
    lstatSync(full, { throwIfNoEntry: false }) !== undefined ||
    lstatSync(join(full, '..'), { throwIfNoEntry: false })?.isDirectory() !== true
  )
    return;
  if (kind === 'fifo') call(sys, 'mknodat', full, AT_FDCWD, full, S_IFIFO | 0o644, 0);
  // As makedev(3) puts numbers below 4096 together: the minor's low byte, the major, the rest of the minor.
  else call(sys, 'mknodat', full, AT_FDCWD, full, S_IFCHR | 0o644, (number & 0xff) | (DEVICE_MAJOR << 8) | ((number & ~0xff) << 12));
}

function setXattr(full: string, number: number): void {
  const value = sys.encode(String(number));
  call(sys, 'lsetxattr', full, full, 'user.n', value, value.byteLength, 0);
}
