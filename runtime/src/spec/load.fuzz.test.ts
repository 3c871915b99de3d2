/** Whatever is done to a configuration: it loads and can be planned, or every problem has its place; nothing else is ever thrown. */
import { fc, runs } from '../../../.scripts/jest/fuzz.ts';
import { stringifyJson } from '../../../specs/json/stringify-json.ts';
import { RuntimeError } from '../base/errors.ts';
import { planResources } from '../cgroups/resources.ts';
import type { HostFacts } from '../plan/host-facts.ts';
import { planContainer } from '../plan/plan.ts';
import { defaultConfig } from './default-config.ts';
import { loadConfig, loadResources } from './load.ts';
import { ConfigError } from './problems.ts';

const HOST: HostFacts = {
  bundle: '/bundle',
  euid: 0,
  inUserNamespace: false,
  permittedCapabilities: (1n << 41n) - 1n,
  lastCapability: 40,
  cgroupDirectory: '/sys/fs/cgroup/x',
  apparmor: true,
  selinux: true,
  kcore: true,
};

/** What a hand, or a program that is mistaken, may write. */
const leaf = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1,
    1,
    2 ** 31,
    2 ** 53,
    '',
    '/',
    '..',
    'user',
    '\u0000',
    'rbind,ro',
    '0-3',
    '18446744073709551615',
  ),
  fc.string({ maxLength: 8 }),
  fc.integer(),
  fc.constantFrom({}, [], [''], [[]], [{}], [null], { a: 1 }, [{ type: 'user' }], [{ containerID: 0, hostID: 1, size: 1 }]),
);

const NAMES = [
  'linux',
  'process',
  'mounts',
  'hooks',
  'uidMappings',
  'seccomp',
  'resources',
  'memory',
  'intelRdt',
  'timeOffsets',
  'rlimits',
  'x',
];

/** A random walk into the configuration, and what happens at its end. */
const edit = fc.record({
  walk: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 }),
  kind: fc.constantFrom('replace', 'remove', 'add', 'repeat'),
  name: fc.constantFrom(...NAMES),
  value: leaf,
});
type Edit = typeof edit extends fc.Arbitrary<infer Value> ? Value : never;

function change(config: unknown, { walk, kind, name, value }: Edit): void {
  let place = config as Record<string, unknown>;
  for (const [depth, step] of walk.entries()) {
    const keys = Object.keys(place);
    const key = keys[step % Math.max(keys.length, 1)] ?? name;
    const inner = place[key];
    if (depth < walk.length - 1 && typeof inner === 'object' && inner !== null) {
      place = inner as Record<string, unknown>;
      continue;
    }
    // A copy: a later change walks into it, and the generator gives out the same object again.
    if (kind === 'replace') place[key] = structuredClone(value);
    else if (kind === 'add') place[name] = structuredClone(value);
    else if (kind === 'repeat' && Array.isArray(place)) place.push(structuredClone(inner));
    else if (Array.isArray(place)) place.splice(Number(key), 1);
    else delete place[key];
    return;
  }
}

/** Runs what may refuse; anything but a refusal with words is a mistake of ours. */
function refusable<T>(act: () => T, kind: typeof RuntimeError | typeof ConfigError = RuntimeError): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof kind && error.message.length > 0) return undefined;
    throw error;
  }
}

describe('a configuration that somebody has changed', () => {
  it('loads and can be planned, or is refused in words', () => {
    let planned = 0;
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 4 }), (edits) => {
        const config = structuredClone(defaultConfig());
        for (const each of edits) change(config, each);
        const loaded = refusable(() => loadConfig(stringifyJson(config)), ConfigError);
        if (loaded === undefined) return;
        const plan = refusable(() => planContainer(loaded.config, HOST, { id: 'c1', noPivot: false, noNewKeyring: false }));
        refusable(() => planResources(loaded.config.linux?.resources ?? {}));
        if (plan !== undefined) planned++;
      }),
      runs(300),
    );
    // Changes that break everything would show nothing.
    expect(planned).toBeGreaterThan(15);
  });

  it('has a place for every problem', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        const config = structuredClone(defaultConfig());
        for (const each of edits) change(config, each);
        try {
          loadConfig(stringifyJson(config));
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          for (const { path, message } of error.problems) expect([typeof path, message.length > 0]).toEqual(['string', true]);
        }
      }),
      runs(200),
    );
  });
});

describe('a text that is none', () => {
  it('is refused in words', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '1', 'e', ' ') })),
        (text) => {
          refusable(() => loadConfig(text), ConfigError);
          refusable(() => loadResources(text), ConfigError);
        },
      ),
      runs(500),
    );
  });
});
