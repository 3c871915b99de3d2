/** Mount options in any number and order. */
import { fc } from '../../../.scripts/jest/fuzz.ts';
import {
  MOUNT_EXTENSION_OPTIONS,
  MOUNT_FLAG_OPTIONS,
  MOUNT_PROPAGATION_OPTIONS,
  MOUNT_RECURSIVE_OPTIONS,
} from '../../../specs/runtime/mounts.ts';
import { MOUNT_ATTR__ATIME, MOUNT_ATTR_RDONLY, MS_RDONLY } from '../linux/mount-flags.ts';
import { parseMountOptions } from './mount-options.ts';

const KNOWN: readonly string[] = [
  ...MOUNT_FLAG_OPTIONS,
  ...MOUNT_PROPAGATION_OPTIONS,
  ...MOUNT_RECURSIVE_OPTIONS,
  ...MOUNT_EXTENSION_OPTIONS,
];
const known = fc.constantFrom(...KNOWN);
const foreign = fc
  .string({ minLength: 1, maxLength: 12 })
  .filter((option) => !KNOWN.includes(option) && !['defaults', 'remount'].includes(option));
const options = fc.array(fc.oneof(known, foreign), { maxLength: 20 });

describe('mount options', () => {
  it('never ask for an attribute and against it', () => {
    fc.assert(
      fc.property(options, (list) => {
        const { attributes, recursiveAttributes } = parseMountOptions(list);
        for (const { set, clear } of [attributes, recursiveAttributes ?? { set: 0, clear: 0 }])
          expect(set & clear & ~MOUNT_ATTR__ATIME).toBe(0);
      }),
    );
  });

  it('leave what is not known to the file system, whole and in order', () => {
    fc.assert(
      fc.property(options, (list) => {
        expect(parseMountOptions(list).data).toEqual(list.filter((option) => !KNOWN.includes(option)));
      }),
    );
  });

  it('have their last word at the end', () => {
    fc.assert(
      fc.property(options, fc.constantFrom('ro', 'rw'), (list, last) => {
        const { attributes, superFlags } = parseMountOptions([...list, last]);
        const bit = last === 'ro' ? attributes.set : attributes.clear;
        expect([bit & MOUNT_ATTR_RDONLY, superFlags & MS_RDONLY]).toEqual([MOUNT_ATTR_RDONLY, last === 'ro' ? MS_RDONLY : 0]);
      }),
    );
  });

  it('mean the same when they are said twice', () => {
    fc.assert(
      fc.property(options, (list) => {
        const { propagations: once, data: dataOnce, ...first } = parseMountOptions(list);
        const { propagations: twice, data: dataTwice, ...second } = parseMountOptions([...list, ...list]);
        expect(second).toEqual(first);
        expect([twice, dataTwice]).toEqual([
          [...once, ...once],
          [...dataOnce, ...dataOnce],
        ]);
      }),
    );
  });
});
