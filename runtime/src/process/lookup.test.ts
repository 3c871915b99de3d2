import type { Operation } from '../init/program.ts';
import { RecordingInit } from '../init/recording-init.ts';
import { EACCES, ENOENT, ENOSYS, ENOTDIR } from '../linux/errno.ts';
import { executableCandidates } from '../plan/executable.ts';
import { findExecutable } from './lookup.ts';

type Kind = 'missing' | 'file' | 'directory' | 'not executable' | 'below a file';

/** Answers as a file system with these entries would. */
function fileSystem(entries: Readonly<Record<string, Kind>>): (operation: Operation) => number {
  return (operation) => {
    if (operation.call === 'close') return 0;
    const kind = entries[String(operation.args[1])] ?? 'missing';
    if (operation.call === 'openat') return kind === 'directory' ? 9 : -ENOTDIR;
    return { missing: -ENOENT, file: 0, directory: 0, 'not executable': -EACCES, 'below a file': -ENOTDIR }[kind];
  };
}

function find(command: string, entries: Readonly<Record<string, Kind>>, env = ['PATH=/bin:/usr/bin']): string {
  const init = new RecordingInit(fileSystem(entries));
  const plan = { args: [command], env, candidates: executableCandidates(command, env), descriptorLimit: undefined, seccomp: undefined };
  return findExecutable(init, 'x86_64', plan);
}

describe('findExecutable', () => {
  it('takes the first file of PATH that may be executed', () => {
    expect(find('sh', { '/usr/bin/sh': 'file' })).toBe('/usr/bin/sh');
    expect(find('sh', { '/bin/sh': 'file', '/usr/bin/sh': 'file' })).toBe('/bin/sh');
  });

  it('passes over directories and files that may not be executed', () => {
    expect(find('sh', { '/bin/sh': 'directory', '/usr/bin/sh': 'file' })).toBe('/usr/bin/sh');
    expect(find('sh', { '/bin/sh': 'not executable', '/usr/bin/sh': 'file' })).toBe('/usr/bin/sh');
  });

  it('takes a command with a slash as it is', () => {
    expect(find('/opt/run', { '/opt/run': 'file' })).toBe('/opt/run');
    expect(find('./run', { './run': 'file' })).toBe('./run');
  });

  it('reads an empty part of PATH as the working directory', () => {
    expect(find('run', { './run': 'file' }, ['PATH=/bin::/usr/bin'])).toBe('./run');
  });

  it('lets execve decide where the kernel lacks faccessat2', () => {
    const init = new RecordingInit((operation) => (operation.call === 'openat' ? -ENOTDIR : -ENOSYS));
    const plan = { args: ['/x'], env: [], candidates: ['/x'], descriptorLimit: undefined, seccomp: undefined };
    expect(findExecutable(init, 'x86_64', plan)).toBe('/x');
  });

  it.each([
    ['sh', {}, 'exec: "sh": executable file not found in $PATH'],
    ['sh', { '/bin/sh': 'not executable' }, 'exec: "sh": permission denied'],
    ['/x', {}, 'exec: "/x": stat /x: no such file or directory'],
    ['/x', { '/x': 'not executable' }, 'exec: "/x": permission denied'],
    ['/etc', { '/etc': 'directory' }, 'exec: "/etc": is a directory: permission denied'],
    ['sh', { '/bin/sh': 'below a file' }, 'exec: "sh": executable file not found in $PATH'],
  ] as const)('says of %s in the words that engines look for (%j)', (command, entries, message) => {
    expect(() => find(command, entries)).toThrow(expect.objectContaining({ message, configPath: 'process.args[0]' }));
  });
});
