import { ENOENT, ENOSYS } from '../../linux/errno.ts';
import { type SyscallName, syscallNumber } from '../../linux/syscall-numbers.ts';
import { createNodeSys } from '../../sys/node.ts';
import type { Sys } from '../../sys/sys.ts';
import { findCommand } from '../find-command.ts';
import { heldByV1 } from './cgroups.ts';
import { type Examination, installCommand } from './finding.ts';
import { examineKernel } from './kernel.ts';
import { examineNamespaces, subordinateIds } from './namespaces.ts';

const node = createNodeSys();

/** A kernel without these calls. */
function without(...names: readonly SyscallName[]): Examination {
  const numbers = names.map((name) => syscallNumber(node.arch, name));
  const sys: Sys = { ...node, syscall: (nr, ...args) => (numbers.includes(nr) ? -ENOSYS : node.syscall(nr, ...args)) };
  return { sys, privileged: true } as unknown as Examination;
}

function systemCalls(...names: readonly SyscallName[]) {
  return examineKernel(without(...names)).find(({ subject }) => subject === 'system calls');
}

const NOTHING = { idMaps: undefined, tmpfs: undefined, overlay: undefined, mqueue: undefined };

describe('examineKernel', () => {
  it('misses calls by their names and uses', () => {
    expect(systemCalls('openat2', 'mount_setattr')).toMatchObject({
      verdict: 'missing',
      message: expect.stringMatching(/^openat2 \(paths that cannot leave the root file system\), mount_setattr \(attributes of mounts\): /),
      remedy: expect.any(String),
    });
  });

  it('does not insist on those for which there is another way', () => {
    expect(systemCalls('clone3')).toMatchObject({ verdict: 'limited', message: expect.stringMatching(/^clone3 \(/) });
  });
});

describe('examineNamespaces', () => {
  /** Of a host without settings that forbid anything. */
  const examine = (privileged: boolean, result: number) => {
    const openat = syscallNumber(node.arch, 'openat');
    const sys: Sys = {
      ...node,
      syscall: (nr, ...args) => (nr === openat && String(args[1]).startsWith('/proc/sys/') ? -ENOENT : node.syscall(nr, ...args)),
    };
    return examineNamespaces({ sys, privileged } as unknown as Examination, { ...NOTHING, namespaces: { user: result } })[0];
  };

  it('says that one can be made', () => {
    expect(examine(true, 0)).toMatchObject({ verdict: 'ok' });
  });

  it('cannot do without the user namespace for a user, but for root', () => {
    expect([examine(false, -1)?.verdict, examine(true, -1)?.verdict]).toEqual(['missing', 'limited']);
  });

  it('names the limit that is reached', () => {
    expect(examine(false, -28)).toMatchObject({
      verdict: 'missing',
      remedy: expect.stringContaining('sysctl -w user.max_user_namespaces=15000'),
    });
  });
});

describe('subordinateIds', () => {
  it('adds up the ranges of a user, by name or number', () => {
    const text = 'alice:100000:65536\nbob:200000:65536\n1000:300000:10\nalice:x:y\n';
    expect([subordinateIds(text, ['alice', '1000']), subordinateIds(text, ['bob', '1001']), subordinateIds('', ['bob'])]).toEqual([
      65546, 65536, 0,
    ]);
  });
});

describe('heldByV1', () => {
  it('knows io as blkio', () => {
    const text = '3:cpu,cpuacct:/\n2:blkio:/\n1:name=systemd:/\n0::/\n';
    expect(heldByV1(text, ['cpu', 'io', 'memory'])).toEqual(['cpu', 'io']);
  });
});

describe('commands', () => {
  it('are found in PATH and where systems keep them', () => {
    expect(findCommand({ ...node, environ: [] }, 'sh')).toMatch(/\/bin\/sh$/);
    expect(findCommand({ ...node, environ: ['PATH=/nowhere'] }, 'no-such-command')).toBeUndefined();
  });

  it('that install go by what is here, or name the package', () => {
    const names = { debian: 'one', fedora: 'two', alpine: 'three', arch: 'four', suse: 'five' };
    expect(installCommand(node, names)).toMatch(/(one|two|three|four|five)/);
  });
});
