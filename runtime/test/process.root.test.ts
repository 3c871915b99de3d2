import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Process } from '../../specs/runtime/process.ts';
import { type Draft, type Mutable, onBothEngines, userNamespace } from './ground.ts';

const like =
  (process: Partial<Mutable<Process>>) =>
  (config: Draft): void => {
    Object.assign(config.process, process);
  };

/** Things that look like programs. */
function programs(path: string): void {
  writeFileSync(join(path, 'etc/file'), 'text');
  mkdirSync(join(path, 'private'), { mode: 0o700 });
  for (const [name, text] of [
    ['script', '#!/no/interpreter\n'],
    ['garbage', '\u0001\u0002'],
    ['hello', '#!/bin/sh\necho "$0 $@"\n'],
  ] as const) {
    writeFileSync(join(path, 'bin', name), text);
    chmodSync(join(path, 'bin', name), 0o755);
  }
  writeFileSync(join(path, 'private/hello'), '#!/bin/sh\n');
  chmodSync(join(path, 'private/hello'), 0o755);
}

const USER = { uid: 1000, gid: 1000 };

onBothEngines('the process', (ground) => {
  it.each([
    [{ args: ['nope'] }, 'exec: "nope": executable file not found in $PATH'],
    [{ args: ['/nope'] }, 'exec: "/nope": stat /nope: no such file or directory'],
    [{ args: ['sh/x'] }, 'exec: "sh/x": stat sh/x: no such file or directory'],
    [{ args: ['/etc/file'] }, 'exec: "/etc/file": permission denied'],
    [{ args: ['/bin'] }, 'exec: "/bin": is a directory: permission denied'],
    [{ args: ['file'], env: ['PATH=/etc:/bin'] }, 'exec: "file": permission denied'],
    [{ args: ['sh'], env: ['PATH=/etc/file:/nope'] }, 'exec: "sh": executable file not found in $PATH'],
    [{ args: ['/private/hello'], user: USER }, 'exec: "/private/hello": permission denied'],
  ])('must have a program when it is created: %j', (process, message) => {
    expect(ground().refused(like(process), { rootfs: programs })).toMatch(
      new RegExp(`create failed: unable to start container process: error during container init: ${literally(message)}$`),
    );
  });

  it.each([
    ['script', 'execve /bin/script: no such file or directory'],
    ['garbage', 'execve /bin/garbage: exec format error'],
  ])('fails at start when the kernel refuses the program: %s', (name, message) => {
    const container = ground().create(like({ args: [name] }), { rootfs: programs });
    const { status, stderr } = ground().tsrun(['start', container.id]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(`process.args: execute the process: ${message}`) });
    ground().end(container);
  });

  it('is found as execvp does: by PATH, in its own working directory, with its own name', () => {
    const found = (process: Partial<Mutable<Process>>): string => ground().run(like(process), { rootfs: programs }).output;
    expect(found({ args: ['hello', 'a b', ''], env: ['PATH=/nope:/etc:/bin'] })).toBe('/bin/hello a b \n');
    expect(found({ args: ['./hello'], cwd: '/bin' })).toBe('./hello \n');
    expect(found({ args: ['hello'], env: ['PATH=:/nope'], cwd: '/bin' })).toBe('./hello \n');
  });

  it('has its arguments and environment, whatever is in them', () => {
    const odd = ['\u0001\u007f', 'ünï – 💩', '', '"\'$(x)`\\', 'line\nbreak', '-'];
    expect(ground().sh('for a in "$@"; do echo "<$a>"; done', (config) => config.process.args?.push('0', ...odd)).output).toBe(
      odd.map((word) => `<${word}>\n`).join(''),
    );
    const env = ['A=1', 'Ü=ö=ä', 'B=', 'HOME=/x', 'A=2'];
    expect(ground().run(like({ args: ['/bin/env'], env })).lines).toEqual(['A=2', 'Ü=ö=ä', 'B=', 'HOME=/x']);
  });

  it('can have a thousand variables, and two megabytes of arguments and environment', () => {
    const many = Array.from({ length: 1000 }, (_, index) => `VARIABLE_${index}=${index}`);
    expect(ground().sh('env | grep -c ^VARIABLE_', like({ env: ['PATH=/bin', ...many] })).lines).toEqual(['1000']);
    const large = Array.from({ length: 15 }, (_, index) => String(index % 10).repeat(120_000));
    const { lines } = ground().sh('cat /proc/$$/environ | wc -c; cat /proc/$$/cmdline | wc -c', (config) => {
      config.process.env = ['PATH=/bin', 'HOME=/', ...large.map((text, index) => `L${index}=${text}`)];
      config.process.args?.push('name', 'x'.repeat(100_000));
    });
    const bytes = (list: readonly string[]): number => list.reduce((sum, text) => sum + text.length + 1, 0);
    const names = large.map((text, index) => `L${index}=${text}`);
    expect(Number(lines[0])).toBe(bytes(['PATH=/bin', 'HOME=/', ...names]));
    expect(Number(lines[1])).toBeGreaterThan(100_000);
    const container = ground().create(like({ args: ['true', ...large, ...large, ...large, ...large] }));
    const { stderr } = ground().tsrun(['start', container.id]);
    expect(stderr).toContain('process.args: execute the process: execve /bin/true: argument list too long');
    ground().end(container);
  });

  it('has its working directory, which is made when it is missing', () => {
    let tree = '';
    expect(
      ground().sh('pwd; stat -c %a:%u .', like({ cwd: '/new//deep/', user: USER }), { rootfs: (path) => (tree = path) }).lines,
    ).toEqual(['/new/deep', '755:0']);
    expect(statSync(join(tree, 'new/deep')).isDirectory()).toBe(true);
    const closed = { rootfs: (path: string) => mkdirSync(join(path, 'closed'), { mode: 0o700 }) };
    expect(ground().sh('pwd; ls', like({ cwd: '/closed', user: USER }), closed).lines).toEqual(['/closed', 'ls: .: Permission denied']);
    expect(ground().refused(like({ cwd: '/etc/file' }), { rootfs: programs })).toMatch(/process\.cwd: .*not a directory$/);
  });

  it('can have a working directory that only its user may enter', () => {
    const { lines } = ground().sh(
      'pwd; id -u',
      (config) => {
        userNamespace(config);
        like({ cwd: '/mine', user: USER })(config);
      },
      {
        rootfs: (path) => {
          mkdirSync(join(path, 'mine'), { mode: 0o700 });
          chownSync(join(path, 'mine'), 101_000, 101_000);
        },
      },
    );
    expect(lines).toEqual(['/mine', '1000']);
  });

  it('is the leader of its own session, without signals blocked or ignored, with the files it was given and no others', () => {
    const { lines } = ground().sh(
      'cat /proc/$$/stat | cut -d" " -f 4-6; grep -E "^(Sig(Blk|Ign|Cgt)|Seccomp):" /proc/self/status; ls /proc/self/fd',
      () => undefined,
      { flags: ['--preserve-fds', '0'] },
    );
    expect(lines).toEqual([
      expect.stringMatching(/^\d+ \d+ \d+$/),
      'SigBlk:\t0000000000000000',
      'SigIgn:\t0000000000000000',
      'SigCgt:\t0000000000000000',
      'Seccomp:\t0',
      '0',
      '1',
      '2',
      '3',
    ]);
    const [, group, session] = (lines[0] ?? '').split(' ');
    expect([group, session]).toEqual(['1', '1']);
  });
});

function literally(text: string): string {
  return text.replaceAll(/[$.*+?^()[\]{}|\\/]/g, '\\$&');
}
