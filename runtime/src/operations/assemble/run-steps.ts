/** Steps of the plan, carried out by an init process in one program. */
import { type AgentFds, closeTemporaries } from '../../init/agent-fds.ts';
import { type EncodedProgram, encodeProgram } from '../../init/encode.ts';
import type { Init, InitProcess, ProgramResults } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import type { FilesystemStep, Step } from '../../plan/steps.ts';
import { compileProcessStep } from '../../process/compile.ts';
import { compileRootfsStep } from '../../rootfs/compile.ts';
import { mountWithCopyUp } from '../../rootfs/copy-up.ts';
import type { Target } from '../../rootfs/paths.ts';
import type { Architecture, Sys } from '../../sys/sys.ts';
import { Ahead } from './ahead.ts';

export interface StepSettings {
  readonly arch: Architecture;
  readonly fds: AgentFds;
  /** The container has a mount namespace that is not the runtime's. */
  readonly separateMounts: boolean;
}

/** A step opens a dozen descriptors at most, for a deep path; the soft limit is seldom below 1,024. */
const STEPS_BETWEEN_CLOSES = 24;

type Check = (results: ProgramResults) => void;

function compile(target: Target, step: Step, settings: StepSettings): Check {
  switch (step.kind) {
    case 'root':
    case 'mount':
    case 'bind':
    case 'remount':
    case 'device':
    case 'symlink':
    case 'console':
    case 'directory':
    case 'pivot':
    case 'mask':
    case 'readonly':
    case 'readonly-root':
      return compileRootfsStep(target, step, settings.separateMounts);
    default:
      return compileProcessStep(target, step);
  }
}

/** A program of steps, and what to look at when it has run. */
export interface CompiledSteps {
  readonly program: Program;
  check(results: ProgramResults): void;
}

export function compileSteps(steps: readonly Step[], settings: StepSettings): CompiledSteps {
  const program = new Program({ step: 'begin' });
  const target: Target = { program, arch: settings.arch, fds: settings.fds, opened: { proc: false }, made: new Set() };
  const checks = steps.map((step, index) => {
    const check = compile(target, step, settings);
    // What steps open is not closed one by one. Some must be closed on the way: there is a limit on descriptors.
    if (index % STEPS_BETWEEN_CLOSES === STEPS_BETWEEN_CLOSES - 1) closeTemporaries(program, settings.fds);
    return check;
  });
  closeTemporaries(program, settings.fds);
  return {
    program,
    check: (results) => {
      for (const check of checks) check(results);
    },
  };
}

/** Steps that can be compiled and encoded ahead. */
export class StepsAhead {
  readonly #steps: () => readonly Step[];
  readonly #settings: StepSettings;
  readonly #encoded: Ahead<{ readonly compiled: CompiledSteps; readonly encoded: EncodedProgram } | undefined>;

  /** `steps` is asked when they are needed. */
  constructor(sys: Sys, steps: () => readonly Step[], settings: StepSettings) {
    this.#steps = steps;
    this.#settings = settings;
    this.#encoded = new Ahead(() => {
      if (steps().some(isCopyUp)) return undefined;
      const compiled = compileSteps(steps(), settings);
      return { compiled, encoded: encodeProgram(sys, compiled.program) };
    });
  }

  /** Does not throw. */
  prepare(): void {
    this.#encoded.begin();
  }

  /**
   * Has the steps run, and returns the function that waits for their end, as `InitProcess.begin` does. It throws for the first step that failed, or
   * that found what must not be.
   */
  begin(init: InitProcess): () => void {
    const ready = this.#encoded.get();
    if (ready === undefined) {
      runSteps(init, this.#steps(), this.#settings);
      return () => undefined;
    }
    const { compiled, encoded } = ready;
    const answer = init.begin(compiled.program, encoded);
    return () => compiled.check(answer());
  }
}

/** What is to be done depends on what is found: it cannot be compiled ahead. */
function isCopyUp(step: Step): step is FilesystemStep {
  return step.kind === 'mount' && step.copyUp;
}

/** Runs the steps. Throws for the first that failed, or that found what must not be. */
export function runSteps(init: Init, steps: readonly Step[], settings: StepSettings): void {
  if (steps.length === 0) return;
  const index = steps.findIndex(isCopyUp);
  const step = steps[index];
  if (step !== undefined && isCopyUp(step)) {
    runSteps(init, steps.slice(0, index), settings);
    mountWithCopyUp(init, settings, step);
    runSteps(init, steps.slice(index + 1), settings);
    return;
  }
  const { program, check } = compileSteps(steps, settings);
  check(init.run(program));
}
