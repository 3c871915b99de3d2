/** Instructions with their variables put in and their values understood: what a build carries out. */

import type * as ast from './ast.ts';

/** The name and the value of a variable or a label. */
export interface Assignment {
  readonly name: string;
  readonly value: string;
}

export type ExpandedInstruction =
  | ExpandedArg
  | ExpandedEnv
  | ExpandedLabel
  | ExpandedRun
  | ExpandedCopy
  | ExpandedAdd
  | ExpandedWorkdir
  | ExpandedUser
  | ExpandedExpose
  | ExpandedVolume
  | ExpandedCommand
  | ExpandedShell
  | ExpandedStopsignal
  | ExpandedHealthcheck
  | ExpandedOnbuild
  | ExpandedMaintainer;

interface Expanded<Source extends ast.StageInstruction> {
  readonly kind: Source['kind'];
  readonly written: Source;
}

export interface ExpandedArg extends Expanded<ast.ArgInstruction> {
  readonly kind: 'ARG';
  /** `value` is the one that holds (--build-arg, then the global ARG, then the default); none: declared, not set. */
  readonly arguments: readonly { readonly name: string; readonly value?: string }[];
}

export interface ExpandedEnv extends Expanded<ast.EnvInstruction> {
  readonly kind: 'ENV';
  readonly pairs: readonly Assignment[];
}

export interface ExpandedLabel extends Expanded<ast.LabelInstruction> {
  readonly kind: 'LABEL';
  readonly pairs: readonly Assignment[];
}

export interface ExpandedRun extends Expanded<ast.RunInstruction> {
  readonly kind: 'RUN';
  readonly run: RunForm;
  readonly mounts: readonly Mount[];
  readonly network: ast.RunInstruction['network'];
  readonly security: ast.RunInstruction['security'];
}

/** What RUN runs. */
export type RunForm =
  | { readonly form: 'exec'; readonly argv: readonly string[] }
  /** One more argument for the shell of SHELL; heredocs are part of the text, for the shell to understand, or are the text alone. */
  | { readonly form: 'shell'; readonly text: string }
  /** A heredoc that begins with `#!`: a file `name` (mode 0755) in the read-only directory /dev/pipes, run without arguments. */
  | { readonly form: 'script'; readonly name: string; readonly content: string };

/** A file that stands in the Dockerfile itself; mode 0644 unless `chmod`. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
}

interface ExpandedTransfer<Source extends ast.CopyInstruction | ast.AddInstruction> extends Expanded<Source> {
  /** Paths and patterns (Go's filepath.Match), of ADD also URLs, in the order written; no variables any more. */
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  /** As written; a path that ends in `/` is a directory. Relative paths are under the working directory. */
  readonly destination: string;
  /** `user[:group]`, names or numbers. */
  readonly chown?: string;
  readonly chmod?: ModeChange;
  readonly link: boolean;
  readonly excludes: readonly string[];
}

export interface ExpandedCopy extends ExpandedTransfer<ast.CopyInstruction> {
  readonly kind: 'COPY';
  readonly from?: string;
  readonly parents: boolean;
}

export interface ExpandedAdd extends ExpandedTransfer<ast.AddInstruction> {
  readonly kind: 'ADD';
  /** `sha256:…`, or for a git repository its commit. */
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  readonly unpack?: boolean;
}

/** chmod's argument. `applyMode` in mode.ts applies it. */
export type ModeChange =
  | { readonly form: 'octal'; readonly text: string; readonly mode: number }
  | { readonly form: 'symbolic'; readonly text: string; readonly clauses: readonly ModeClause[] };

/** `u+rwX`: one `who` and one operation; `ug=r+w` are two clauses. */
export interface ModeClause {
  /** A mask of user 0o4700, group 0o2070, others 0o0007 and, for `a` or nobody named, all of them with sticky. */
  readonly who: number;
  readonly operation: '+' | '-' | '=';
  /** Permissions to give, take or set, spread over all three classes; the mask `who` cuts them. */
  readonly permissions: number;
  /** `X`: execution where it is a directory or somebody may execute it already. */
  readonly conditionalExecute: boolean;
  /** `g=u`: the permissions of that class, instead of `permissions`. */
  readonly copyFrom?: 'u' | 'g' | 'o';
}

export interface ExpandedWorkdir extends Expanded<ast.WorkdirInstruction> {
  readonly kind: 'WORKDIR';
  /** As written: relative paths are under the directory before. */
  readonly path: string;
}

export interface ExpandedUser extends Expanded<ast.UserInstruction> {
  readonly kind: 'USER';
  readonly user: string;
}

export interface ExpandedExpose extends Expanded<ast.ExposeInstruction> {
  readonly kind: 'EXPOSE';
  /** `80/tcp`, one for each port of a range. */
  readonly ports: readonly string[];
}

export interface ExpandedVolume extends Expanded<ast.VolumeInstruction> {
  readonly kind: 'VOLUME';
  readonly paths: readonly string[];
}

/** CMD and ENTRYPOINT: not expanded, the shell does that when the container runs. */
export interface ExpandedCommand extends Expanded<ast.CmdInstruction | ast.EntrypointInstruction> {
  readonly kind: 'CMD' | 'ENTRYPOINT';
  readonly command: ast.Command;
}

export interface ExpandedShell extends Expanded<ast.ShellInstruction> {
  readonly kind: 'SHELL';
  readonly argv: readonly string[];
}

export interface ExpandedStopsignal extends Expanded<ast.StopsignalInstruction> {
  readonly kind: 'STOPSIGNAL';
  readonly signal: string;
}

export interface ExpandedHealthcheck extends Expanded<ast.HealthcheckInstruction> {
  readonly kind: 'HEALTHCHECK';
  readonly test: readonly string[];
}

export interface ExpandedOnbuild extends Expanded<ast.OnbuildInstruction> {
  readonly kind: 'ONBUILD';
  readonly expression: string;
}

export interface ExpandedMaintainer extends Expanded<ast.MaintainerInstruction> {
  readonly kind: 'MAINTAINER';
  readonly name: string;
}

/** `RUN --mount`. Targets may be relative: they are under the working directory. */
export type Mount = BindMount | CacheMount | TmpfsMount | SecretMount | SshMount;

export interface BindMount {
  readonly type: 'bind';
  readonly target: string;
  /** In `from`; the root of it unless said. */
  readonly source: string;
  /** A stage, an image or a named context; none: the build's context. */
  readonly from?: string;
  /** What is written to a writable one is lost. */
  readonly readOnly: boolean;
}

export interface CacheMount extends MountOwner {
  readonly type: 'cache';
  /** The target unless said. */
  readonly id: string;
  readonly target: string;
  /** What a new cache begins with; empty unless said. */
  readonly from?: string;
  readonly source: string;
  readonly readOnly: boolean;
  readonly sharing: 'shared' | 'private' | 'locked';
}

export interface TmpfsMount {
  readonly type: 'tmpfs';
  readonly target: string;
  /** In bytes; none: as the kernel has it. */
  readonly size?: number;
}

export interface SecretMount extends MountOwner {
  readonly type: 'secret';
  readonly id: string;
  /** A file; none: only `env`. */
  readonly target?: string;
  /** The name of a variable that holds it. */
  readonly env?: string;
  readonly required: boolean;
}

export interface SshMount extends MountOwner {
  readonly type: 'ssh';
  readonly id: string;
  /** Where the agent's socket lies; none: /run/buildkit/ssh_agent.N. */
  readonly target?: string;
  readonly required: boolean;
}

/** Absent: root's; 0755 for caches, 0400 for secrets, 0600 for sockets. */
export interface MountOwner {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}
