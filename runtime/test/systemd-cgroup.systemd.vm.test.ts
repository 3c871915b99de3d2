/** The command line with the systemd cgroup driver, under a real systemd. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { args, type ConfigChange } from './bundle.ts';
import { Cli, type EngineCommand, until } from './cli.ts';

// A guest kernel is slow.
jest.setTimeout(300_000);

const ROOT = '/sys/fs/cgroup';

const cgroupsPath =
  (path: string): ConfigChange =>
  (config) => {
    if (config.linux !== undefined) config.linux.cgroupsPath = path;
  };

const limits =
  (resources: NonNullable<Parameters<ConfigChange>[0]['linux']>['resources']): ConfigChange =>
  (config) => {
    if (config.linux !== undefined) config.linux.resources = resources ?? {};
  };

function show(unit: string, property: string): string {
  return execFileSync('systemctl', ['show', '--value', '-p', property, unit], { encoding: 'utf8' }).trim();
}

beforeAll(() => {
  if (!existsSync('/run/systemd/system')) throw new Error('needs systemd as process 1: to be run in the guest kernel with systemd');
});

describe.each<EngineCommand>(['tsrun', 'tsrun-node'])('%s --systemd-cgroup', (engine) => {
  let cli: Cli;
  beforeEach(() => {
    cli = new Cli(engine);
    mkdirSync(cli.root, { mode: 0o700 });
  });
  afterEach(() => cli.dispose());

  function create(id: string, ...changes: ConfigChange[]): void {
    const flags = ['--log', join(cli.directory, 'log'), '--systemd-cgroup', 'create', '--bundle', cli.bundle(...changes), id];
    const { status } = cli.run(flags, { stdio: 'ignore' });
    if (status !== 0) throw new Error(readFileSync(join(cli.directory, 'log'), 'utf8'));
  }

  it('goes through the life of a container, whose other commands need no flag', () => {
    const id = cli.id();
    create(id, cgroupsPath(`tsruntest-a.slice:pre:${id}`), limits({ pids: { limit: 50 }, memory: { limit: 67108864 } }), (config) => {
      config.annotations = { 'org.systemd.property.TimeoutStopSec': 'uint64 7' };
    });
    const unit = `pre-${id}.scope`;
    const directory = `${ROOT}/tsruntest.slice/tsruntest-a.slice/${unit}`;
    const read = (file: string): string => readFileSync(join(directory, file), 'utf8').trim();
    const { pid } = cli.state(id);
    expect(read('cgroup.procs')).toBe(String(pid));
    expect([read('pids.max'), read('memory.max'), show(unit, 'TasksMax'), show(unit, 'TimeoutStopUSec')]).toEqual([
      '50',
      '67108864',
      '50',
      '7s',
    ]);
    cli.ok(['start', id]);
    expect(cli.ok(['exec', id, 'cat', '/proc/self/cgroup'])).toBe('0::/\n');
    cli.ok(['update', '--pids-limit', '60', '--memory', '128M', '--memory-swap', '-1', id]);
    expect([read('pids.max'), show(unit, 'TasksMax'), show(unit, 'MemoryMax')]).toEqual(['60', '60', '134217728']);
    execFileSync('systemctl', ['daemon-reload']);
    expect([read('pids.max'), read('memory.max')]).toEqual(['60', '134217728']);
    expect(cli.pids(id)).toEqual([pid]);
    expect(JSON.parse(cli.ok(['events', '--stats', id])).data.pids.limit).toBe(60);
    cli.ok(['pause', id]);
    expect([read('cgroup.freeze'), cli.state(id).status]).toEqual(['1', 'paused']);
    cli.ok(['resume', id]);
    cli.ok(['kill', '--all', id, 'KILL']);
    cli.waitFor(id, 'stopped');
    cli.ok(['delete', id]);
    expect([existsSync(directory), show(unit, 'LoadState')]).toEqual([false, 'not-found']);
  });

  // Node is slow in a guest, and what differs between the engines is tested above and elsewhere.
  if (engine === 'tsrun-node') return;

  it('calls a container without cgroupsPath tsrun-ID.scope in system.slice', () => {
    const id = cli.id();
    create(id);
    expect(cli.pids(id)).toEqual([Number(readFileSync(`${ROOT}/system.slice/tsrun-${id}.scope/cgroup.procs`, 'utf8'))]);
    cli.ok(['delete', '--force', id]);
    expect(show(`tsrun-${id}.scope`, 'LoadState')).toBe('not-found');
  });

  it('runs in the foreground, and leaves no unit', () => {
    const id = cli.id();
    const bundle = cli.bundle(args('cat', '/proc/self/cgroup'), (config) => {
      const namespaces = config.linux?.namespaces ?? [];
      if (config.linux !== undefined) config.linux.namespaces = namespaces.filter(({ type }) => type !== 'cgroup');
    });
    expect(cli.ok(['--cgroup-manager', 'systemd', 'run', '--bundle', bundle, id])).toBe(`0::/system.slice/tsrun-${id}.scope\n`);
    expect(show(`tsrun-${id}.scope`, 'LoadState')).toBe('not-found');
  });

  it('deletes by force what runs, and what systemd has already let go', () => {
    const id = cli.id();
    create(id, (config) => {
      config.annotations = { 'org.systemd.property.TimeoutStopSec': 'uint64 1' };
    });
    cli.ok(['start', id]);
    spawnSync('systemctl', ['stop', `tsrun-${id}.scope`]);
    until(() => cli.look(['state', id]).stdout.includes('stopped'), 'the container ends with its unit', 60_000);
    cli.ok(['delete', id]);
    expect(cli.look(['state', id]).status).toBe(1);
  });

  it('leaves nothing of a create that fails', () => {
    const id = cli.id();
    const bundle = cli.bundle(limits({ pids: { limit: 5 }, unified: { 'pids.max': 'many' } }));
    const { status, stderr } = cli.look(['--systemd-cgroup', 'create', '--bundle', bundle, id]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('pids.max')]);
    expect([show(`tsrun-${id}.scope`, 'LoadState'), existsSync(`${ROOT}/system.slice/tsrun-${id}.scope`)]).toEqual(['not-found', false]);
    expect(cli.look(['state', id]).status).toBe(1);
  });

  it('takes an update back as a whole', () => {
    const id = cli.id();
    create(id, limits({ pids: { limit: 50 } }));
    const change = join(cli.directory, 'change.json');
    writeFileSync(change, JSON.stringify({ pids: { limit: 70 }, unified: { 'memory.high': 'much' } }));
    expect(cli.look(['update', '--resources', change, id]).status).toBe(1);
    const unit = `tsrun-${id}.scope`;
    expect([readFileSync(`${ROOT}/system.slice/${unit}/pids.max`, 'utf8'), show(unit, 'TasksMax')]).toEqual(['50\n', '50']);
  });

  it.each([
    ['/some/path', /expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "\/some\/path" instead/],
    ['a/b.slice:x:y', /invalid slice name: "a\/b\.slice"/],
  ])('refuses cgroupsPath %s', (path, message) => {
    const bundle = cli.bundle(cgroupsPath(path));
    expect(cli.look(['--systemd-cgroup', 'create', '--bundle', bundle, cli.id()]).stderr).toMatch(message);
  });

  it('says which annotation it cannot use', () => {
    const bundle = cli.bundle((config) => {
      config.annotations = { 'org.systemd.property.TimeoutStopSec': 'seven' };
    });
    const { stderr } = cli.look(['--systemd-cgroup', 'create', '--bundle', bundle, cli.id()]);
    expect(stderr).toContain('annotations["org.systemd.property.TimeoutStopSec"]: cannot read "seven"');
  });
});
