import { fc, runs } from '../../../.scripts/jest/fuzz.ts';
import type { DeviceCgroup } from '../../../specs/runtime/linux/resources.ts';
import { AND32_K, EXIT, INSTRUCTION_BYTES, JEQ32_K, JNE32_K, LDX_MEM_W, MOV32_K, MOV32_X, RSH32_K } from './bpf.ts';
import { deviceProgram } from './device-program.ts';
import { ACCESS_MKNOD, ACCESS_READ, ACCESS_WRITE, allowsEverything, devicePolicy, isAllowList } from './device-rules.ts';

interface Access {
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  readonly access: number;
}

/** Executes a program on `struct bpf_cgroup_dev_ctx`, as strictly as the kernel's verifier reads it. */
function run(program: ArrayBuffer, { type, major, minor, access }: Access): number {
  const view = new DataView(program);
  const context = [((access << 16) | (type === 'b' ? 1 : 2)) >>> 0, major, minor];
  const registers: (number | undefined)[] = [undefined, 0];
  const read = (register: number) => {
    const value = registers[register];
    if (value === undefined) throw new Error(`R${register} is read before it is written`);
    return value;
  };
  for (let at = 0; ; at += INSTRUCTION_BYTES) {
    if (at >= program.byteLength) throw new Error('the program runs over its end');
    const [opcode, registerByte] = [view.getUint8(at), view.getUint8(at + 1)];
    const [offset, imm] = [view.getInt16(at + 2, true), view.getInt32(at + 4, true)];
    const [dst, src] = [registerByte & 15, registerByte >> 4];
    if (opcode === EXIT) return read(0);
    if (opcode === LDX_MEM_W) {
      if (src !== 1 || read(1) !== 0) throw new Error('a load from anything but the context');
      registers[dst] = context[offset / 4];
    } else if (opcode === MOV32_K) registers[dst] = imm >>> 0;
    else if (opcode === MOV32_X) registers[dst] = read(src);
    else if (opcode === AND32_K) registers[dst] = (read(dst) & imm) >>> 0;
    else if (opcode === RSH32_K) registers[dst] = read(dst) >>> imm;
    else if (opcode === JNE32_K || opcode === JEQ32_K) {
      if (offset < 0) throw new Error('a jump back');
      if ((read(dst) === imm >>> 0) === (opcode === JEQ32_K)) at += offset * INSTRUCTION_BYTES;
    } else throw new Error(`unknown opcode ${opcode}`);
  }
}

const DEFAULTS: DeviceCgroup[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 2],
    [136, -1],
    [10, 200],
  ].map(([major = 0, minor = 0]): DeviceCgroup => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
];

/** The rules' meaning, word for word: for each bit the last rule that matches. */
function naive(rules: readonly DeviceCgroup[], wanted: Access): number {
  const bits: [number, string][] = [
    [ACCESS_READ, 'r'],
    [ACCESS_WRITE, 'w'],
    [ACCESS_MKNOD, 'm'],
  ];
  const matches = (given: number | bigint | undefined, actual: number) => given === undefined || given === -1 || Number(given) === actual;
  return bits.every(([bit, letter]) => {
    if ((wanted.access & bit) === 0) return true;
    const last = [...rules, ...DEFAULTS].findLast(
      (rule) =>
        (rule.type === undefined || rule.type === 'a' || rule.type === wanted.type) &&
        matches(rule.major, wanted.major) &&
        matches(rule.minor, wanted.minor) &&
        (rule.access ?? '').includes(letter),
    );
    return last?.allow ?? false;
  })
    ? 1
    : 0;
}

const number = fc.constantFrom(0, 1, 3, 5, 8, 136, 2 ** 31, 2 ** 32 - 1);
const ruleArbitrary = fc.record(
  {
    allow: fc.boolean(),
    type: fc.constantFrom<('a' | 'b' | 'c')[]>('a', 'b', 'c'),
    major: fc.oneof(fc.constant(-1), number),
    minor: fc.oneof(fc.constant(-1), number),
    access: fc.constantFrom('r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm', 'mwr'),
  },
  { requiredKeys: ['allow', 'access'] },
);
const accessArbitrary = fc.record({
  type: fc.constantFrom<('b' | 'c')[]>('b', 'c'),
  major: number,
  minor: number,
  access: fc.integer({ min: 1, max: 7 }),
});

describe('deviceProgram', () => {
  it('decides as the rules say', () => {
    fc.assert(
      fc.property(
        fc.array(ruleArbitrary, { maxLength: 12 }),
        fc.array(accessArbitrary, { minLength: 1, maxLength: 20 }),
        (rules, accesses) => {
          const program = deviceProgram(devicePolicy(rules, []));
          for (const access of accesses) expect([access, run(program, access)]).toEqual([access, naive(rules, access)]);
        },
      ),
      runs(500),
    );
  });

  it('ends for an access without bits, as a test for executability makes it', () => {
    fc.assert(
      fc.property(fc.array(ruleArbitrary), accessArbitrary, (rules, access) => {
        const answer = run(deviceProgram(devicePolicy(rules, [])), { ...access, access: 0 });
        return answer === 0 || answer === 1;
      }),
    );
  });

  const denyAll: DeviceCgroup = { allow: false, access: 'rwm' };
  const fuse: DeviceCgroup = { allow: true, type: 'c', major: 10, minor: 229, access: 'rwm' };

  it.each<[string, DeviceCgroup[], Access, number]>([
    ['denies what no rule speaks of', [], { type: 'c', major: 1, minor: 1, access: ACCESS_READ }, 0],
    ['allows /dev/null without any rule', [], { type: 'c', major: 1, minor: 3, access: ACCESS_READ | ACCESS_WRITE }, 1],
    ['allows mknod of anything', [denyAll], { type: 'b', major: 8, minor: 0, access: ACCESS_MKNOD }, 1],
    ['denies opening a disk', [denyAll], { type: 'b', major: 8, minor: 0, access: ACCESS_READ }, 0],
    ['allows the terminals of the container', [denyAll], { type: 'c', major: 136, minor: 77, access: ACCESS_READ | ACCESS_WRITE }, 1],
    ['allows an exception', [denyAll, fuse], { type: 'c', major: 10, minor: 229, access: ACCESS_READ | ACCESS_WRITE }, 1],
    ['knows character devices from block devices', [denyAll, fuse], { type: 'b', major: 10, minor: 229, access: ACCESS_READ }, 0],
    ['forgets what came before a denial of everything', [fuse, denyAll], { type: 'c', major: 10, minor: 229, access: ACCESS_READ }, 0],
    [
      'allows a privileged container everything',
      [denyAll, { allow: true, access: 'rwm' }],
      { type: 'b', major: 8, minor: 0, access: 7 },
      1,
    ],
    [
      'adds up access that several rules allow',
      [denyAll, { ...fuse, access: 'r' }, { allow: true, type: 'c', major: 10, access: 'w' }],
      { type: 'c', major: 10, minor: 229, access: ACCESS_READ | ACCESS_WRITE },
      1,
    ],
    [
      'takes a part of a wildcard back',
      [
        { allow: true, type: 'b', access: 'rwm' },
        { allow: false, type: 'b', major: 8, access: 'w' },
      ],
      { type: 'b', major: 8, minor: 1, access: ACCESS_READ | ACCESS_WRITE },
      0,
    ],
  ])('%s', (_, rules, access, answer) => {
    expect(run(deviceProgram(devicePolicy(rules, [])), access)).toBe(answer);
  });
});

describe('devicePolicy', () => {
  it('says each thing once', () => {
    const policy = devicePolicy([{ allow: false, access: 'rwm' }, ...DEFAULTS], []);
    expect(policy.rules).toHaveLength(DEFAULTS.length);
    expect(policy.defaultAllow).toBe(false);
    expect(isAllowList(policy)).toBe(true);
  });

  it('knows what allows everything', () => {
    expect(allowsEverything(devicePolicy([{ allow: true, access: 'rwm' }], []))).toBe(true);
    expect(allowsEverything(devicePolicy([{ allow: true, access: 'rw' }], []))).toBe(false);
    const denied = devicePolicy(
      [
        { allow: true, access: 'rwm' },
        { allow: false, type: 'c', major: 9, access: 'r' },
      ],
      [],
    );
    expect(allowsEverything(denied)).toBe(false);
    expect(isAllowList(denied)).toBe(false);
  });

  it('gives a path of the configuration precedence over the default device there', () => {
    const has = (paths: string[]) => devicePolicy([], paths).rules.some((rule) => rule.major === 1 && rule.minor === 3);
    expect(has([])).toBe(true);
    expect(has(['/dev/null'])).toBe(false);
  });

  it.each<[DeviceCgroup, string]>([
    [{ allow: true }, 'linux.resources.devices[0].access: device access cannot be empty'],
    [{ allow: true, access: 'x' }, 'linux.resources.devices[0].access: "x" is not a combination of r, w and m'],
    [{ allow: true, major: -2, access: 'r' }, 'linux.resources.devices[0].major: -2 is not the number of a device'],
    [{ allow: true, minor: 2n ** 32n, access: 'r' }, 'linux.resources.devices[0].minor: 4294967296 is not the number of a device'],
  ])('refuses %j', (rule, message) => {
    expect(() => devicePolicy([rule], [])).toThrow(message);
  });
});
