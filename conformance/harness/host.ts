/** What a test needs of the host. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Need {
  /** As in "needs …". */
  readonly what: string;
  readonly met: () => boolean;
}

export const UNIFIED = '/sys/fs/cgroup';

export function namespaceFile(name: string): Need {
  return { what: `a kernel with ${name} namespaces`, met: () => existsSync(`/proc/self/ns/${name}`) };
}

export const unifiedCgroups: Need = {
  what: 'a unified cgroup hierarchy',
  met: () => existsSync(join(UNIFIED, 'cgroup.controllers')),
};

/** A controller that a container's cgroup can have on cgroup v2. */
export function controller(name: string): Need {
  return {
    what: `the cgroup v2 controller ${name}`,
    met: () => {
      const path = join(UNIFIED, 'cgroup.controllers');
      return existsSync(path) && readFileSync(path, 'utf8').trim().split(' ').includes(name);
    },
  };
}

export const seccompKernel: Need = {
  what: 'a kernel with seccomp',
  met: () => /^Seccomp:/m.test(readFileSync('/proc/self/status', 'utf8')),
};

export const hostCommand = (name: string): Need => ({
  what: `the command ${name}`,
  met: () => (process.env['PATH'] ?? '/usr/bin:/bin:/usr/sbin:/sbin').split(':').some((folder) => existsSync(join(folder, name))),
});

export const noResctrl: Need = {
  what: 'a host on which no resctrl is mounted',
  met: () => !/ - resctrl /.test(readFileSync('/proc/self/mountinfo', 'utf8')),
};

export function kernelFile(path: string): Need {
  return { what: `a kernel with ${path}`, met: () => existsSync(path) };
}

/** The processor can run 32-bit programs, which personalities are about. */
export const x86: Need = { what: 'an x86-64 or arm64 host', met: () => ['x64', 'arm64'].includes(process.arch) };

/** The numbers of a device file. */
export function deviceNumbers(path: string): { readonly major: number; readonly minor: number } {
  const { rdev } = statSync(path);
  return { major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}
