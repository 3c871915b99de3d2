import { fc, runs } from '../../../.scripts/jest/fuzz.ts';
import { SECCOMP_ARCHITECTURES, type SeccompArchitecture } from '../../../specs/runtime/linux/seccomp.ts';
import { auditArchitecture } from './architectures.ts';
import { Assembly, encodeInstructions, type Instruction, JUMP_EQUAL, RETURN } from './classic-bpf.ts';
import { interpret } from './interpret.ts';
import { type HighestSyscall, newSyscallsPrefix, X32_SYSCALL_BIT } from './new-syscalls.ts';
import { RET_ALLOW } from './return-values.ts';
import { complaints } from './test/kernel-rules.ts';

const ENOSYS = 0x50026;
const X86_64 = auditArchitecture('SCMP_ARCH_X86_64');

/** The prefix before a filter that allows everything. */
function program(highest: readonly HighestSyscall[]): ArrayBuffer {
  const rest: Instruction = { code: RETURN, whenTrue: 0, whenFalse: 0, operand: RET_ALLOW };
  return encodeInstructions([...newSyscallsPrefix(highest), rest]);
}

function expected(highest: readonly HighestSyscall[], architecture: number, number: number): number {
  const isX32 = architecture === X86_64 && (number & X32_SYSCALL_BIT) !== 0;
  const own = highest.find(
    (one) => auditArchitecture(one.architecture) === architecture && (one.architecture === 'SCMP_ARCH_X32') === isX32,
  );
  return own !== undefined && number > own.number ? ENOSYS : RET_ALLOW;
}

describe('newSyscallsPrefix', () => {
  it('answers ENOSYS above the highest number of each architecture, and leaves the rest to the filter', () => {
    const number = fc.oneof(
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: 0, max: 500 }).map((n) => n + X32_SYSCALL_BIT),
    );
    const one = (architecture: SeccompArchitecture): fc.Arbitrary<HighestSyscall> =>
      fc.integer({ min: 1, max: 450 }).map((n) => ({ architecture, number: architecture === 'SCMP_ARCH_X32' ? n + X32_SYSCALL_BIT : n }));
    const lists = fc.shuffledSubarray([...SECCOMP_ARCHITECTURES], { minLength: 1 }).chain((names) => fc.tuple(...names.map(one)));
    fc.assert(
      fc.property(lists, fc.array(fc.tuple(fc.constantFrom(...SECCOMP_ARCHITECTURES), number), { minLength: 20 }), (highest, calls) => {
        const filter = program(highest);
        expect(complaints(filter)).toEqual([]);
        for (const [name, called] of calls) {
          const architecture = auditArchitecture(name);
          for (const near of [called, ...highest.flatMap((known) => [known.number, known.number + 1])]) {
            expect([near, interpret(filter, { number: near, architecture })]).toEqual([near, expected(highest, architecture, near)]);
          }
        }
      }),
      runs(60),
    );
  });

  it('is nothing without an architecture', () => {
    expect(newSyscallsPrefix([])).toEqual([]);
  });
});

describe('Assembly', () => {
  it('refuses a branch that is too long, and a label that is not ahead', () => {
    const far = new Assembly();
    far.branch(JUMP_EQUAL, 1, 'end');
    for (let index = 0; index < 256; index++) far.answer(index);
    far.label('end');
    expect(() => far.instructions()).toThrow('would skip 256 instructions');
    const back = new Assembly();
    back.label('start');
    back.jump('start');
    expect(() => back.instructions()).toThrow('no label start ahead');
  });
});
