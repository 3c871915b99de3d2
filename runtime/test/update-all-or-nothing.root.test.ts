/** update: what fails at its very end takes everything back, limits and device rules. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findHierarchy } from '../src/cgroups/hierarchy.ts';
import { onBothEngines } from './ground.ts';

const SIZE_BYTES = 1 << 20;

onBothEngines('an update that cannot be written down', (ground) => {
  /** The state on a file system of its own, to be filled. */
  function onSmallStateRoot(body: () => void): void {
    mkdirSync(ground().root, { mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_BYTES},mode=700`, 'tmpfs', ground().root]);
    try {
      body();
    } finally {
      execFileSync('umount', [ground().root]);
    }
  }

  it('changes neither limits nor device rules', () =>
    onSmallStateRoot(() => {
      const container = ground().create((config) => {
        config.process.args = ['sleep', '1000'];
        config.linux.resources = { devices: [{ allow: false, access: 'rwm' }], unified: { 'cgroup.max.descendants': '7' } };
      });
      ground().start(container);
      const limit = (): string => {
        const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${container.pid}/cgroup`, 'utf8'))?.[1];
        return readFileSync(join(findHierarchy(ground().sys)?.mountPoint ?? '', path ?? '', 'cgroup.max.descendants'), 'utf8').trim();
      };
      const diff = (): unknown => ground().tsrun(['plan', '--diff', container.id]);
      const asConfigured = { status: 0, stderr: 'The container is as its configuration says.\n' };
      expect(diff()).toEqual(asConfigured);
      const change = join(ground().directory, 'change.json');
      const devices = [
        { allow: false, access: 'rwm' },
        { allow: true, type: 'c', major: 1, minor: 11, access: 'rw' },
      ];
      writeFileSync(change, JSON.stringify({ devices, unified: { 'cgroup.max.descendants': '9' } }));
      // The new limits are written down when all else is done: there is no room for that.
      const filling = join(ground().root, 'filling');
      expect(() => writeFileSync(filling, new Uint8Array(4 * SIZE_BYTES))).toThrow('ENOSPC');
      expect(ground().tsrun(['update', '--resources', change, container.id])).toEqual({
        status: 1,
        stderr: expect.stringContaining('no space left on device'),
      });
      rmSync(filling);
      expect([limit(), diff()]).toEqual(['7', asConfigured]);
      expect(ground().tsrun(['update', '--resources', change, container.id])).toEqual({ status: 0, stderr: '' });
      expect([limit(), diff()]).toEqual(['9', asConfigured]);
      ground().end(container);
    }));
});
