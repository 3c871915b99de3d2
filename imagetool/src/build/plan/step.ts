/** What a build does, as data: everything is known but the content of files. */

import type { ContainerConfig } from '../../../../specs/image/config.ts';
import type { Platform } from '../../../../specs/image/descriptor.ts';
import type { StageInstruction } from '../dockerfile/ast.ts';
import type { Language } from '../dockerfile/expand.ts';
import type { InlineFile, ModeChange, Mount, RunForm } from '../dockerfile/expanded.ts';
import type { StageScope } from '../dockerfile/scope.ts';

/** Where files come from. */
export type FileSource =
  /** The build's context. */
  | { readonly kind: 'context' }
  /** --build-context. */
  | { readonly kind: 'named'; readonly name: string }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string; readonly platform?: Platform };

interface StepBase {
  readonly instruction: StageInstruction;
  /** Which file `instruction` is in: the Dockerfile, or a trigger of the base image. */
  readonly language: Language;
  /** As progress shows it: `RUN make`. */
  readonly title: string;
}

export interface RunStep extends StepBase {
  readonly kind: 'run';
  readonly form: RunForm;
  /** The command: a shell's with the line as its last argument, or as it was written. */
  readonly argv: readonly string[];
  /** `NAME=value`: environment and arguments. */
  readonly env: readonly string[];
  /** Arguments of proxies, which nobody declared: they neither change the result's key nor are they told in its history. */
  readonly proxyEnv: readonly string[];
  /** As USER says it; empty for root. */
  readonly user: string;
  /** Absolute. */
  readonly workdir: string;
  readonly mounts: readonly RunMount[];
  readonly network: 'default' | 'none' | 'host';
}

/** A mount, and where its files come from. */
export interface RunMount {
  readonly mount: Mount;
  /** Absolute; of a secret that is only a variable, none. */
  readonly target?: string;
  /** Only of binds, and of caches that begin with something. */
  readonly source?: FileSource;
}

export interface CopyStep extends StepBase {
  readonly kind: 'copy';
  readonly isAdd: boolean;
  readonly from: FileSource;
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  /** Absolute; a path that ends in `/` is a directory. */
  readonly destination: string;
  readonly chown?: string;
  readonly chmod?: ModeChange;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  /** Of ADD. */
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  readonly unpack?: boolean;
}

export interface WorkdirStep extends StepBase {
  readonly kind: 'workdir';
  /** Absolute. */
  readonly path: string;
  /** Of the user at that place, who owns it. */
  readonly user: string;
}

export type Step = RunStep | CopyStep | WorkdirStep;

/** A line of the image's history; `step` says which step made its layer. */
export interface HistoryLine {
  readonly createdBy: string;
  /** Index in the stage's steps; undefined for what only changes the configuration. */
  readonly step?: number;
}

export type StageBase =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string; readonly platform: Platform };

/** What is known of a stage before it is built. */
export interface StagePlan {
  readonly index: number;
  /** As progress calls it: its name, or `stage-0`; of the only stage, nothing. */
  readonly label: string;
  readonly base: StageBase;
  readonly steps: readonly Step[];
  readonly history: readonly HistoryLine[];
  /** Of the image that it makes. */
  readonly config: ContainerConfig;
  readonly author?: string;
  readonly platform: Platform;
  /** What a stage made FROM this one begins with. */
  readonly scope: StageScope;
}

/** Stages whose files a step needs. */
export function stagesOf(step: Step): number[] {
  if (step.kind === 'workdir') return [];
  const sources = step.kind === 'copy' ? [step.from] : step.mounts.map((one) => one.source);
  return sources.flatMap((source) => (source?.kind === 'stage' ? [source.index] : []));
}
