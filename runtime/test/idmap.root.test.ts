import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../.scripts/jest/requirement.ts';
import type { Mount } from '../../specs/runtime/mounts.ts';
import { startExec } from '../src/operations/exec.ts';
import { busybox, type Change, captured, Fixture, USER_NAMESPACE } from './exec-fixture.ts';

describeWith([rootUser, busybox], 'bind mounts that the runtime prepares', () => {
  let fixture: Fixture;
  let source: string;

  beforeEach(() => {
    fixture = new Fixture();
    source = join(fixture.directory, 'source');
    mkdirSync(join(source, 'below'), { recursive: true });
    writeFileSync(join(source, 'root'), '');
    writeFileSync(join(source, 'other'), '');
    chownSync(join(source, 'other'), 7, 8);
  });

  afterEach(() => {
    execFileSync('sh', ['-c', 'umount "$0" 2>/dev/null || true', join(source, 'below')]);
    fixture.dispose();
  });

  const mounting =
    (mount: Partial<Mount>, ...changes: readonly Change[]): Change =>
    (config) => {
      for (const change of changes) change(config);
      config.mounts?.push({ destination: '/data', source, options: ['bind'], ...mount } as never);
    };

  const shell = (id: string, script: string): string =>
    captured((fd) => fixture.wait(startExec(fixture.context([0, fd, fd]), { id, args: ['sh', '-c', script] }))).trim();

  const owners = (id: string): string => shell(id, 'cd /data; stat -c "%u:%g" root other');

  const map = (containerID: number, hostID: number, size: number) => [{ containerID, hostID, size }];

  it('maps the ids of a mount by its own maps', () => {
    const { id } = fixture.run(mounting({ options: ['bind', 'idmap'], uidMappings: map(0, 1000, 10), gidMappings: map(0, 2000, 10) }));
    expect(owners(id)).toBe('1000:2000\n1007:2008');
  });

  it('maps when there are maps, without the option', () => {
    const { id } = fixture.run(mounting({ uidMappings: map(0, 1000, 10), gidMappings: map(0, 2000, 10) }));
    expect(owners(id)).toBe('1000:2000\n1007:2008');
  });

  it('maps by the maps of the user namespace of the container', () => {
    const { id } = fixture.run(mounting({ options: ['bind', 'idmap'] }, USER_NAMESPACE));
    expect(owners(id)).toBe('0:0\n7:8');
    expect(shell(id, 'touch /data/new; stat -c "%u:%g" /data/new')).toBe('0:0');
    expect(execFileSync('stat', ['-c', '%u:%g', join(source, 'new')]).toString()).toBe('0:0\n');
  });

  it('leaves ids alone otherwise', () => {
    const { id } = fixture.run(mounting({}, USER_NAMESPACE));
    expect(owners(id)).toBe('65534:65534\n65534:65534');
  });

  it.each([
    ['idmap', 'only the mount itself', '0:0\n65534:65534'],
    ['ridmap', 'the mounts below it, too', '0:0\n0:0'],
  ])('maps with %s %s', (option, _what, expected) => {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(source, 'below')]);
    const { id } = fixture.run(mounting({ options: ['rbind', option] }, USER_NAMESPACE));
    expect(shell(id, 'stat -c "%u:%g" /data /data/below')).toBe(expected);
  });

  it('keeps several sources apart', () => {
    const second = join(fixture.directory, 'second');
    mkdirSync(second);
    writeFileSync(join(second, 'file'), '');
    const maps = { uidMappings: map(0, 1000, 10), gidMappings: map(0, 2000, 10) };
    const { id } = fixture.run(
      mounting(
        { destination: '/tmp', source: second, options: ['bind', 'ro'] },
        USER_NAMESPACE,
        mounting({ options: ['bind', 'idmap'] }),
        (config) => {
          config.mounts?.push({ destination: '/etc', type: 'bind', source: second, options: ['rbind'], ...maps } as never);
        },
      ),
    );
    expect(owners(id)).toBe('0:0\n7:8');
    expect(shell(id, 'ls /tmp /etc; touch /tmp/x 2>&1')).toBe('/etc:\nfile\n\n/tmp:\nfile\ntouch: /tmp/x: Read-only file system');
  });

  it('opens sources that only root of the host can reach', () => {
    chmodSync(fixture.directory, 0o755);
    const hidden = join(fixture.directory, 'hidden');
    mkdirSync(join(hidden, 'inner'), { recursive: true });
    writeFileSync(join(hidden, 'inner/file'), 'here');
    chmodSync(join(hidden, 'inner/file'), 0o644);
    chmodSync(hidden, 0o700);
    const { id } = fixture.run(mounting({ source: join(hidden, 'inner') }, USER_NAMESPACE));
    expect(shell(id, 'cat /data/file')).toBe('here');
  });

  it('names the file system that cannot do it', () => {
    expect(() => fixture.create(mounting({ source: '/sys/kernel', options: ['bind', 'idmap'] }, USER_NAMESPACE))).toThrow(
      expect.objectContaining({
        code: 'id-mapped-mount',
        message: expect.stringMatching(
          /^mounts\[7\]: cannot map the ids of \/sys\/kernel \(sysfs\): invalid argument: the file system does not support id-mapped mounts$/,
        ),
        configPath: 'mounts[7]',
      }),
    );
    expect(fixture.store.list()).toEqual([]);
  });

  it('names a source that is not there', () => {
    expect(() => fixture.create(mounting({ source: '/not/there' }, USER_NAMESPACE))).toThrow(
      expect.objectContaining({ message: 'open the bind source /not/there: no such file or directory', configPath: 'mounts[7]' }),
    );
  });

  it('leaves no descriptor and no process behind', () => {
    fixture.create(mounting({ options: ['bind', 'idmap'] }, USER_NAMESPACE));
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    fixture.create(mounting({ options: ['bind', 'idmap'] }, USER_NAMESPACE));
    expect(() => fixture.create(mounting({ source: '/sys/kernel', options: ['bind', 'idmap'] }, USER_NAMESPACE))).toThrow();
    expect(count()).toBe(before);
  });
});
