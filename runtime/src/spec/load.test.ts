import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { RuntimeError } from '../base/errors.ts';
import { checkConfig, loadConfig, loadProcess, loadResources } from './load.ts';
import { ConfigError } from './problems.ts';
import { makeConfig } from './test/findings.ts';

function errorOf(act: () => unknown): ConfigError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('loadConfig', () => {
  it('gives a faultless configuration back', () => {
    const { config, warnings } = loadConfig(stringifyJson(makeConfig()));
    expect(warnings).toEqual([]);
    expect(JSON.parse(stringifyJson(config))).toEqual(makeConfig());
  });

  it('keeps 64-bit numbers', () => {
    const rlimits = [{ type: 'RLIMIT_NOFILE' as const, soft: 9007199254740993n, hard: 18446744073709551615n }];
    const { config } = loadConfig(stringifyJson(makeConfig({ process: { rlimits } })));
    expect(config.process?.rlimits?.[0]).toMatchObject({ soft: 9007199254740993n, hard: 18446744073709551615n });
  });

  it('takes a configuration without a process: only start needs one', () => {
    expect(loadConfig('{"ociVersion":"1.0.0","root":{"path":"rootfs"}}').config.process).toBeUndefined();
  });

  it('lists every problem of a configuration, the first one first', () => {
    const text = '{"ociVersion":"1.3.0","process":{"cwd":"tmp","user":{"uid":0,"gid":0}},"hostname":"a"}';
    const error = errorOf(() => loadConfig(text));
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error).toMatchObject({ name: 'ConfigError', code: 'invalid-config', configPath: 'root' });
    expect(error.message).toBe(
      [
        'invalid config.json (4 problems): root: is required (config.md#root)',
        'hostname = "a": cannot be set without a uts namespace in linux.namespaces (config.md#hostname)',
        'process.args: must not be empty: its first element is the command (config.md#process)',
        'process.cwd = "tmp": must be an absolute path (config.md#process)',
      ].join('; '),
    );
    expect(error.problems[3]).toEqual({
      rule: 'process-cwd-absolute',
      path: 'process.cwd',
      value: 'tmp',
      message: 'must be an absolute path',
      reference: 'config.md#process',
    });
  });

  it('lists every wrong type', () => {
    const error = errorOf(() => loadConfig('{"process":{"cwd":1,"terminal":"yes"},"mounts":[{}]}'));
    expect(error.problems.map(({ rule, path }) => [rule, path])).toEqual([
      ['type', 'process.cwd'],
      ['type', 'process.terminal'],
      ['required', 'mounts[0].destination'],
      ['required', 'ociVersion'],
      ['root-required', 'root'],
      ['mount-type', 'mounts[0].type'],
      ['process-args', 'process.args'],
    ]);
  });

  it('lists wrong types and broken rules together, and nothing that only follows from a wrong type', () => {
    const mounts = [{ destination: 1 }, 7, { destination: '', type: 'proc' }];
    // The namespaces might have one for the host name, and root might be right.
    const linux = {
      namespaces: [{ type: 'utz' }],
      cgroupsPath: '../x',
      resources: { memory: { limit: 1, swap: '2' }, cpu: { cpus: 'x' } },
    };
    const process = {
      cwd: 'tmp',
      args: 'sh',
      rlimits: [
        { type: 'RLIMIT_X', soft: 2, hard: 1 },
        { type: 'RLIMIT_CPU', soft: 2, hard: 1 },
      ],
    };
    const config = { ociVersion: '1.3.0', root: 5, hostname: 'a', mounts, linux, process, annotations: { a: '\0' } };
    const { problems } = errorOf(() => loadConfig(JSON.stringify(config)));
    expect(problems.map(({ rule, path }) => `${rule} ${path}`)).toEqual([
      'nul-character annotations.a',
      'type root',
      'type mounts[0].destination',
      'type mounts[1]',
      'type linux.namespaces[0].type',
      'type linux.resources.memory.swap',
      'type process.args',
      'type process.rlimits[0].type',
      'mount-destination mounts[2].destination',
      'mount-type mounts[0].type',
      'cgroups-path linux.cgroupsPath',
      'process-cwd-absolute process.cwd',
      'rlimit-order process.rlimits[0].soft',
      'rlimit-order process.rlimits[1].soft',
      'cpuset-list linux.resources.cpu.cpus',
    ]);
  });

  it('collects the warnings of the schema and of the rules', () => {
    const text = '{"ociVersion":"1.9.0","root":{"path":"a","readOnly":true},"process":{"cwd":"/","args":["sh"],"env":["X"]}}';
    expect(loadConfig(text).warnings.map(({ rule, path }) => `${rule} ${path}`)).toEqual([
      'unknown-property root.readOnly',
      'oci-version-newer ociVersion',
      'user-id-missing process.user',
      'env-without-value process.env[0]',
    ]);
  });

  it.each([
    ['{', 'invalid config.json: expected a key in quotation marks, found the end of the text at line 1, column 2'],
    ['{"process":{"cwd":"/","cwd":"/"}}', 'invalid config.json: process.cwd: the key "cwd" is given twice at line 1, column 23'],
    ['[]', 'invalid config.json: an array: must be an object'],
  ])('says what is wrong with %s', (text, expected) => {
    expect(errorOf(() => loadConfig(text)).message).toBe(expected);
  });

  it('refuses NUL characters anywhere, in known and unknown places', () => {
    const text =
      '{"ociVersion":"1.3.0","x":{"a\\u0000b":["\\u0000"]},"process":{"args":["sh","a\\u0000"],"cwd":"/\\\\u0000"},"root":{"path":"r"}}';
    const { problems } = errorOf(() => loadConfig(text));
    expect(problems.map(({ rule, path }) => [rule, path])).toEqual([
      ['nul-character', 'x["a\\u0000b"]'],
      ['nul-character', 'x["a\\u0000b"][0]'],
      ['nul-character', 'process.args[1]'],
    ]);
  });

  it('drops unknown capabilities and gives absent users an id', () => {
    const capabilities = { bounding: ['CAP_KILL', 'CAP_X'], ambient: ['CAP_Y'] };
    const { config } = loadConfig('{"ociVersion":"1.0.0","root":{"path":"a"},"process":{"cwd":"/","args":["a"]}}');
    expect(config.process?.user).toEqual({ uid: 0, gid: 0 });
    const known = checkConfig(makeConfig({ process: { capabilities, user: { gid: 7 } } })).config.process;
    expect(known).toMatchObject({ capabilities: { bounding: ['CAP_KILL'], ambient: [] }, user: { uid: 0, gid: 7 } });
  });

  it('strips the file type from the mode of a device', () => {
    const devices = [
      { type: 'c' as const, path: '/dev/a', major: 1, minor: 1, fileMode: 0o20660 },
      { type: 'c' as const, path: '/dev/b', major: 1, minor: 2 },
    ];
    const { config } = checkConfig(makeConfig({ linux: { devices } }));
    expect(config.linux?.devices?.map(({ fileMode }) => fileMode)).toEqual([0o660, undefined]);
  });
});

describe('loadProcess', () => {
  it('checks a process on its own', () => {
    const { process, warnings } = loadProcess('{"cwd":"/","args":["ls"],"env":["A"],"user":{"uid":1,"gid":2}}');
    expect([process.args[0], process.user.uid, warnings[0]?.path]).toEqual(['ls', 1, 'env[0]']);
  });

  it('names the places within the process', () => {
    expect(errorOf(() => loadProcess('{"cwd":"x","args":["ls"]}')).message).toBe(
      'invalid process: cwd = "x": must be an absolute path (config.md#process)',
    );
  });
});

describe('loadResources', () => {
  it('takes changes of some limits, swap alone as well', () => {
    const { resources } = loadResources('{"memory":{"swap":100},"cpu":{"cpus":"","shares":null},"unified":{"memory.high":"max"}}');
    expect(JSON.parse(stringifyJson(resources))).toEqual({ memory: { swap: 100 }, cpu: {}, unified: { 'memory.high': 'max' } });
  });

  it('refuses what no cgroup could be set to', () => {
    const { problems } = errorOf(() => loadResources('{"memory":{"limit":2,"swap":1},"unified":{"../x":"1"}}'));
    expect(problems.map(({ path }) => path)).toEqual(['memory.swap', 'unified["../x"]']);
  });
});
