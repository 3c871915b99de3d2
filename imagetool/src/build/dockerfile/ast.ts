/**
 * A parsed Dockerfile, as it was written: variables are not expanded, and every part knows its place.
 * `expand.ts` turns an instruction into what it means under given variables (`expanded.ts`).
 * Language: https://docs.docker.com/reference/dockerfile/
 */

import type { Position, Range, Source } from './source.ts';

export interface Dockerfile {
  readonly source: Source;
  /** Escapes a character, and continues a line at its end. */
  readonly escape: Escape;
  readonly directives: readonly Directive[];
  /** Before the first FROM: their variables are for FROM lines, and defaults of ARG without a value. */
  readonly globals: readonly ArgInstruction[];
  /** At least one. */
  readonly stages: readonly [Stage, ...Stage[]];
  /** Blank lines inside a continued instruction: taken, but a mistake in most cases. */
  readonly emptyContinuations: readonly Range[];
}

export type Escape = '\\' | '`';

/** `# name=value`, before anything else in the file. */
export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check';
  readonly value: string;
  readonly range: Range;
}

export interface Stage {
  /** From 0, as `COPY --from=0` counts. */
  readonly index: number;
  /** In lower case: names of stages are the same in any case. */
  readonly name?: string;
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

/** A piece of an instruction: the text without continuations, quotes and variables still in it. */
export interface Word {
  readonly text: string;
  readonly range: Range;
}

/** What all instructions have. */
export interface InstructionBase {
  /** As the file writes it, in any case. */
  readonly keyword: Word;
  /** The whole instruction, with continued lines and bodies of heredocs. */
  readonly range: Range;
  /** The instruction on one line: no comments, no continuations, no bodies of heredocs. For progress and messages. */
  readonly code: string;
  /** The comments right above, without `#`; a blank comment or line ends them. */
  readonly comments: readonly string[];
}

export interface Heredoc {
  /** The word that ends it, without quotes; for COPY and ADD the name of the file. */
  readonly name: string;
  /** The word was not quoted: in COPY and ADD variables of the body are expanded. */
  readonly expands: boolean;
  /** `<<-`: leading tabs are dropped. */
  readonly chomps: boolean;
  /** As the file has it, with its leading tabs; every line ends in LF. */
  readonly body: string;
  /** `<<NAME` itself. */
  readonly range: Range;
  readonly bodyStart: Position;
  /** Behind the word that ends it. */
  readonly end: Position;
}

/** `["a", "b"]`: run as it is. */
export interface ExecCommand {
  readonly form: 'exec';
  readonly argv: readonly string[];
  readonly range: Range;
}

/** Everything else: a line for the shell, as SHELL names it. */
export interface ShellCommand {
  readonly form: 'shell';
  readonly line: string;
  readonly range: Range;
}

export type Command = ExecCommand | ShellCommand;

export interface Pair {
  readonly name: Word;
  readonly value: Word;
}

export interface FromInstruction extends InstructionBase {
  readonly kind: 'FROM';
  /** An image, a stage before this one, a named context, or `scratch`. */
  readonly image: Word;
  readonly platform?: Word;
  /** The word AS, and the name as written. */
  readonly as?: { readonly keyword: Word; readonly name: Word };
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: 'ARG';
  readonly arguments: readonly { readonly name: Word; readonly value?: Word }[];
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: 'ENV';
  readonly pairs: readonly Pair[];
  /** `ENV name the rest of the line`. */
  readonly legacy: boolean;
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: 'LABEL';
  readonly pairs: readonly Pair[];
  /** `LABEL name the rest of the line`. */
  readonly legacy: boolean;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: 'RUN';
  readonly command: Command;
  /** Only of a shell command. */
  readonly heredocs: readonly Heredoc[];
  /** `type=cache,target=…`: their values may have variables. */
  readonly mounts: readonly Word[];
  readonly network: 'default' | 'none' | 'host';
  readonly security: 'sandbox' | 'insecure';
}

interface Transfer extends InstructionBase {
  readonly sources: readonly Word[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: Word;
  readonly chown?: Word;
  readonly chmod?: Word;
  readonly link: boolean;
  readonly excludes: readonly Word[];
}

export interface CopyInstruction extends Transfer {
  readonly kind: 'COPY';
  /** A stage by name or index, an image, or a named context; no variables. */
  readonly from?: Word;
  readonly parents: boolean;
}

export interface AddInstruction extends Transfer {
  readonly kind: 'ADD';
  readonly checksum?: Word;
  readonly keepGitDir?: boolean;
  /** Undefined: archives of the context are unpacked, those of URLs are not. */
  readonly unpack?: boolean;
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: 'WORKDIR';
  readonly path: Word;
}

export interface UserInstruction extends InstructionBase {
  readonly kind: 'USER';
  readonly user: Word;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: 'EXPOSE';
  readonly ports: readonly Word[];
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: 'VOLUME';
  readonly paths: readonly Word[];
}

export interface CmdInstruction extends InstructionBase {
  readonly kind: 'CMD';
  readonly command: Command;
}

export interface EntrypointInstruction extends InstructionBase {
  readonly kind: 'ENTRYPOINT';
  readonly command: Command;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: 'SHELL';
  /** At least one. */
  readonly argv: readonly string[];
}

export interface StopsignalInstruction extends InstructionBase {
  readonly kind: 'STOPSIGNAL';
  readonly signal: Word;
}

/** Times in nanoseconds, as the configuration of an image has them; 0 or absent: the default. */
export interface HealthcheckTimes {
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
}

export interface HealthcheckInstruction extends InstructionBase, HealthcheckTimes {
  readonly kind: 'HEALTHCHECK';
  /** None: `HEALTHCHECK NONE`, which takes away the base image's. */
  readonly command?: Command;
  readonly retries?: number;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'ONBUILD';
  readonly trigger: StageInstruction;
  /** The trigger as text, with the bodies of its heredocs: what the configuration of the image keeps, and parseTrigger reads again. */
  readonly expression: string;
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: 'MAINTAINER';
  readonly name: Word;
}

export type StageInstruction =
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | WorkdirInstruction
  | UserInstruction
  | ExposeInstruction
  | VolumeInstruction
  | CmdInstruction
  | EntrypointInstruction
  | ShellInstruction
  | StopsignalInstruction
  | HealthcheckInstruction
  | OnbuildInstruction
  | MaintainerInstruction;

export type Instruction = FromInstruction | StageInstruction;

export type InstructionKind = Instruction['kind'];
