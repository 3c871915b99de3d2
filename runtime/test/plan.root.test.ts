/** Commands that make no container: spec, plan, features. They need no privilege. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Features } from '../../specs/runtime/features.ts';
import { validate } from '../../specs/schema/validate.ts';
import { loadConfig } from '../src/spec/load.ts';
import { args, type ConfigChange } from './bundle.ts';
import { cgroupsOf, describeBothEngines } from './cli.ts';

const NOBODY = { uid: 65534, gid: 65534 };

describeBothEngines('spec', (cli) => {
  it('writes a configuration that create takes, and does not replace one', () => {
    const directory = cli().directory;
    expect(cli().ok(['spec'], { cwd: directory })).toBe('');
    const path = join(directory, 'config.json');
    const text = readFileSync(path, 'utf8');
    expect(loadConfig(text)).toMatchObject({ config: { ociVersion: '1.3.0', process: { args: ['sh'] } }, warnings: [] });
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(cli().run(['spec', '-b', directory])).toEqual({ status: 1, stdout: '', stderr: 'File config.json exists. Remove it first\n' });
    expect(readFileSync(path, 'utf8')).toBe(text);
    cli().note(text);
  });

  it('writes one for a user without privilege', () => {
    const directory = join(cli().directory, 'rootless');
    mkdirSync(directory);
    chownSync(directory, NOBODY.uid, NOBODY.gid);
    chmodSync(cli().directory, 0o755);
    cli().ok(['spec', '--rootless', '--bundle', directory], NOBODY);
    const { config } = loadConfig(readFileSync(join(directory, 'config.json'), 'utf8'));
    expect(config.linux?.uidMappings).toEqual([{ containerID: 0, hostID: NOBODY.uid, size: 1 }]);
    expect(config.linux?.namespaces).toContainEqual({ type: 'user' });
  });
});

describeBothEngines('plan', (cli) => {
  const rich: ConfigChange = (config) => {
    config.mounts?.push({ destination: '/data', type: 'bind', source: '/tmp', options: ['rbind', 'ro', 'rslave', 'nosuid'] });
    config.hooks = { createRuntime: [{ path: '/bin/true' }], poststop: [{ path: '/bin/false' }] };
    if (config.process !== undefined) {
      config.process.rlimits = [{ type: 'RLIMIT_CORE', soft: 18446744073709551615n, hard: 18446744073709551615n }];
      config.process.user = { uid: 1, gid: 2, additionalGids: [3, 4] };
    }
    if (config.linux !== undefined) config.linux.sysctl = { 'net.ipv4.ip_forward': '1' };
  };
  // JSON.stringify has no bigint: the limit is put in as text.
  const makeRich = () => {
    const bundle = cli().bundle((config) => {
      rich(config);
      if (config.process !== undefined) delete config.process.rlimits;
    });
    const path = join(bundle, 'config.json');
    const limits = '"rlimits":[{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615}],"args"';
    writeFileSync(path, readFileSync(path, 'utf8').replace('"args"', limits));
    return bundle;
  };

  it('prints the steps in their order, with the places they come from', () => {
    const bundle = makeRich();
    const text = cli().ok(['plan', bundle]);
    const places = [
      'Create: the cgroup',
      'create pid, network',
      'root.path',
      'mounts[0]',
      'mounts[7]',
      'hooks.createRuntime[0]',
      'pivot_root',
    ];
    const positions = [...places, 'process.user', 'wait to be started', 'execute "sleep" "1000"', 'hooks.poststop[0]'].map((place) =>
      text.indexOf(place),
    );
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    expect(positions[0]).toBeGreaterThan(0);
    expect(text).toMatch(/^ *\d+ {2}bind the tree \/tmp to \/data \(ro, nosuid, rslave\) +mounts\[7\]$/m);
    expect(text).toContain('limit RLIMIT_CORE to unlimited, at most unlimited');
    expect(text).toContain('become user 1, group 2, groups 3 4; umask 0022');
    expect(cli().ok(['plan', '-b', bundle])).toBe(text);
    expect(cli().ok(['plan'], { cwd: bundle })).toBe(text);
  });

  it('prints the plan as JSON, numbers exact, and the system calls', () => {
    const bundle = makeRich();
    const json = cli().ok(['plan', '--json', bundle]);
    expect(json).toContain('"soft": 18446744073709551615');
    expect(JSON.parse(json)).toMatchObject({ bundle, hooks: { createRuntime: ['/bin/true'] }, namespaces: { join: [] }, terminal: false });
    const calls = cli().ok(['plan', '--syscalls', bundle]);
    expect(calls).toMatch(/^# .* \(mounts\[0\]\)\n( {2}\$\d+ \w+\(.*\)\n)+/m);
    expect(calls).toMatch(/pivot_root\(/);
    expect(calls).toMatch(/execve\("[^"]*\/sleep", \["sleep", "1000"\], .*\)\n$/);
  });

  it('makes nothing, and needs no privilege', () => {
    const bundle = makeRich();
    chmodSync(cli().directory, 0o755);
    chmodSync(bundle, 0o755);
    const id = cli().id();
    expect(cli().ok(['plan', '--id', id, bundle], NOBODY)).toContain('execute "sleep" "1000"');
    expect(readdirSync(cli().root)).toEqual([]);
    expect(cgroupsOf(id)).toEqual([]);
    expect(existsSync(join(bundle, 'rootfs/data'))).toBe(false);
  });

  it('tells everything that is wrong at once', () => {
    const bundle = cli().bundle(args(), (config) => {
      if (config.root !== undefined) config.root.path = '';
      config.hostname = 'x';
      if (config.linux !== undefined) config.linux.namespaces = [{ type: 'pid' }, { type: 'pid' }];
    });
    const { status, stderr } = cli().run(['plan', bundle]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/problems.*process\.args.*linux\.namespaces\[1\]|linux\.namespaces\[1\].*process\.args/s),
    ]);
  });
});

describeBothEngines('features', (cli) => {
  it('is what the specification asks for', () => {
    const text = cli().ok(['features'], { ...NOBODY, bare: true, env: {} });
    const features = JSON.parse(text);
    expect(validate(Features, features)).toMatchObject({ valid: true, warnings: [] });
    expect(features).toMatchObject({
      ociVersionMin: '1.0.0',
      ociVersionMax: '1.3.0',
      hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
      linux: { cgroup: { v1: false, v2: true }, mountExtensions: { idmap: { enabled: true } } },
    });
    expect(features.linux.namespaces).toEqual(['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts']);
    expect(features.mountOptions).toEqual(features.mountOptions.toSorted());
    expect(features.mountOptions).toEqual(expect.arrayContaining(['rro', 'rbind', 'idmap', 'nosymfollow', 'tmpcopyup', 'iversion']));
  });
});
