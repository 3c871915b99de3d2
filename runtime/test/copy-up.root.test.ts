import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, linkSync, lutimesSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import { startExec } from '../src/operations/exec.ts';
import { busybox, type Change, captured, Fixture, USER_NAMESPACE } from './exec-fixture.ts';

describeWith([rootUser, busybox], 'tmpcopyup', () => {
  let fixture: Fixture;
  beforeEach(() => {
    fixture = new Fixture();
  });
  afterEach(() => fixture.dispose());

  const copyUp =
    (...options: readonly string[]): Change =>
    (config) => {
      config.mounts?.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', ...options] } as never);
    };

  /** A container whose /data had this content. */
  const run = (fill: (directory: string) => void, ...changes: readonly Change[]): string => {
    const prepare: Change = (config) => {
      for (const change of [copyUp(), ...changes]) change(config);
      fill(join(fixture.directory, `bundle${fixture.count}`, 'rootfs/data'));
    };
    return fixture.run(prepare).id;
  };

  const shell = (id: string, script: string): string =>
    captured((fd) => fixture.wait(startExec(fixture.context([0, fd, fd]), { id, args: ['sh', '-c', script] }))).trim();

  it('keeps names, contents, owners, modes and times', () => {
    const id = run((directory) => {
      mkdirSync(join(directory, 'below/deep'), { recursive: true });
      writeFileSync(join(directory, 'below/deep/file'), 'content');
      writeFileSync(join(directory, 'empty'), '');
      writeFileSync(join(directory, 'tool'), '#!/bin/sh\n');
      chownSync(join(directory, 'tool'), 5, 6);
      chmodSync(join(directory, 'tool'), 0o6751);
      utimesSync(join(directory, 'tool'), 1_000_000_000, 1_100_000_000);
      chownSync(join(directory, 'below'), 7, 8);
      chmodSync(join(directory, 'below'), 0o1735);
      utimesSync(join(directory, 'below'), 1_000_000_000, 1_200_000_000);
      chmodSync(directory, 0o711);
      chownSync(directory, 9, 10);
      utimesSync(directory, 1_000_000_000, 1_300_000_000);
    });
    expect(shell(id, 'cat /data/below/deep/file')).toBe('content');
    expect(shell(id, 'cd /data; stat -c "%n %a %u:%g %Y %F" . tool below; stat -c "%n %a %u:%g %F" empty').split('\n')).toEqual([
      '. 711 9:10 1300000000 directory',
      'tool 6751 5:6 1100000000 regular file',
      'below 1735 7:8 1200000000 directory',
      'empty 644 0:0 regular empty file',
    ]);
    expect(shell(id, 'grep " /data " /proc/mounts | cut -d" " -f1-3')).toBe('tmpfs /data tmpfs');
  });

  it('keeps links as they are, and follows none', () => {
    const outside = join(fixture.directory, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'of the host');
    const id = run((directory) => {
      symlinkSync(outside, join(directory, 'directory'));
      symlinkSync(join(outside, 'secret'), join(directory, 'file'));
      symlinkSync('../../../..', join(directory, 'up'));
      symlinkSync('x'.repeat(4000), join(directory, 'long'));
      lutimesSync(join(directory, 'file'), 1_000_000_000, 1_400_000_000);
    });
    expect(
      shell(id, 'cd /data; readlink directory; readlink file; readlink up; readlink long | wc -c; stat -c %Y file; ls').split('\n'),
    ).toEqual([outside, join(outside, 'secret'), '../../../..', '4001', '1400000000', 'directory', 'file', 'long', 'up']);
  });

  it('keeps several names of a file one file', () => {
    const id = run((directory) => {
      mkdirSync(join(directory, 'a'));
      writeFileSync(join(directory, 'a/first'), 'once');
      linkSync(join(directory, 'a/first'), join(directory, 'second'));
      linkSync(join(directory, 'a/first'), join(directory, 'a/third'));
    });
    expect(shell(id, 'cd /data; stat -c "%h %i" a/first second a/third | sort -u | wc -l; stat -c %h second; cat second')).toBe(
      '1\n3\nonce',
    );
  });

  it('keeps FIFOs and devices', () => {
    const id = run((directory) => {
      execFileSync('mkfifo', ['-m', '640', join(directory, 'fifo')]);
      execFileSync('mknod', ['-m', '604', join(directory, 'null'), 'c', '1', '3']);
    });
    expect(shell(id, 'cd /data; stat -c "%n %a %F %t:%T" fifo null')).toBe('fifo 640 fifo 0:0\nnull 604 character special file 1:3');
  });

  it('keeps extended attributes', () => {
    const { id, pid } = fixture.run((config) => {
      copyUp()(config);
      const directory = join(fixture.directory, `bundle${fixture.count}`, 'rootfs/data');
      writeFileSync(join(directory, 'file'), '');
      mkdirSync(join(directory, 'directory'));
      for (const name of ['file', 'directory', '.']) {
        execFileSync('python3', [
          '-c',
          'import os,sys; os.setxattr(sys.argv[1], "trusted.tsrun", b"value\\0\\1" * 100); os.setxattr(sys.argv[1], "security.tsrun", b"")',
          join(directory, name),
        ]);
      }
    });
    expect(id).not.toBe('');
    const read =
      'import os,sys; print(sorted(os.listxattr(sys.argv[1])), os.getxattr(sys.argv[1], "trusted.tsrun") == b"value\\0\\1" * 100)';
    for (const name of ['file', 'directory', '.']) {
      expect(execFileSync('python3', ['-c', read, `/proc/${pid}/root/data/${name}`]).toString()).toBe(
        "['security.tsrun', 'trusted.tsrun'] True\n",
      );
    }
  });

  it('copies large files, many names, and names that are no text', () => {
    const id = run((directory) => {
      writeFileSync(join(directory, 'large'), Buffer.alloc(20_000_000, 'large'));
      for (let number = 0; number < 1000; number++) writeFileSync(join(directory, `${'name'.repeat(20)}${number}`), String(number));
      writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'odd');
    });
    expect(shell(id, 'cd /data; ls | wc -l; stat -c %s large; md5sum < large; cat $(printf "\\377\\376A")')).toBe(
      `1002\n20000000\n${execFileSync('sh', ['-c', 'yes large | tr -d "\\n" | head -c 20000000 | md5sum']).toString().trim()}\nodd`,
    );
  });

  it('copies deep directories', () => {
    const id = run((directory) => mkdirSync(join(directory, 'd/'.repeat(100)), { recursive: true }));
    expect(shell(id, 'find /data -type d | wc -l')).toBe('101');
  });

  it('can be read-only afterwards', () => {
    const id = run(
      (directory) => writeFileSync(join(directory, 'file'), 'here'),
      (config) => {
        config.mounts?.pop();
        copyUp('ro', 'size=1m', 'mode=750', 'nosuid')(config);
      },
    );
    expect(shell(id, 'cat /data/file; touch /data/new 2>&1; stat -c " %a" /data; grep " /data " /proc/mounts')).toMatch(
      /^heretouch: \/data\/new: Read-only file system\n 750\ntmpfs \/data tmpfs ro,nosuid,.*size=1024k/,
    );
  });

  it('leaves what other mounts cover where it is', () => {
    const { id } = fixture.run((config) => {
      const directory = join(fixture.directory, `bundle${fixture.count}`, 'rootfs/data');
      mkdirSync(join(directory, 'mounted'));
      config.mounts?.push({ destination: '/data/mounted', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] } as never);
      config.mounts?.push({ destination: '/data/mounted/proc', type: 'tmpfs', source: 'tmpfs' } as never);
      copyUp()(config);
    });
    expect(shell(id, 'find /data')).toBe('/data\n/data/mounted');
  });

  it('makes an empty file system where there was nothing', () => {
    const { id } = fixture.run((config) => {
      config.root = { path: 'rootfs' };
      config.mounts?.push({ destination: '/new/place', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] } as never);
    });
    expect(shell(id, 'ls /new/place; grep -c " /new/place " /proc/mounts')).toBe('1');
  });

  it('works in a user namespace', () => {
    const id = run((directory) => {
      writeFileSync(join(directory, 'mapped'), 'mine');
      chownSync(join(directory, 'mapped'), 100_000 + 5, 100_000 + 6);
      writeFileSync(join(directory, 'nobody'), 'readable');
      execFileSync('mknod', [join(directory, 'null'), 'c', '1', '3']);
    }, USER_NAMESPACE);
    expect(shell(id, 'cd /data; stat -c "%n %u:%g" mapped nobody; cat mapped; ls')).toBe(
      'mapped 5:6\nnobody 65534:65534\nminemapped\nnobody',
    );
  });

  it('says what does not fit, and leaves nothing behind', () => {
    const create = (): unknown =>
      run(
        (directory) => writeFileSync(join(directory, 'large'), Buffer.alloc(2_000_000)),
        (config) => {
          config.mounts?.pop();
          copyUp('size=1m')(config);
        },
      );
    expect(create).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/mount tmpfs with tmpcopyup on \/data: (sendfile large: no space left on device|large changed)/),
        configPath: 'mounts[7]',
      }),
    );
    expect(fixture.store.list()).toEqual([]);
  });

  it('leaves no descriptor in the container', () => {
    const { pid } = fixture.create(copyUp());
    const targets = readdirSync(`/proc/${pid}/fd`).length;
    const { pid: other } = fixture.create((config) => {
      config.mounts?.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs' } as never);
    });
    expect(targets).toBe(readdirSync(`/proc/${other}/fd`).length);
  });
});
