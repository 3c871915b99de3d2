/** What goes wrong with containers for a reason that is the user's or the system's, in docker's words where docker has words for it. */

export interface ContainerErrorOptions extends ErrorOptions {
  /** What the reader can do about it, as a sentence. */
  readonly hint?: string;
  /** The exit code of `run` and `start -a`; 125 unless the container's command was the reason. */
  readonly exitCode?: number;
}

export type ContainerErrorCode =
  | 'usage'
  | 'flag'
  | 'invalid'
  | 'no-such-container'
  | 'ambiguous'
  | 'conflict'
  | 'not-running'
  | 'no-such-network'
  | 'no-such-volume'
  | 'in-use'
  | 'port'
  | 'network'
  | 'command'
  | 'unsupported'
  | 'shim'
  | 'io';

export class ContainerError extends Error {
  readonly code: ContainerErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: number | undefined;

  constructor(code: ContainerErrorCode, message: string, options: ContainerErrorOptions = {}) {
    super(message, options);
    this.name = 'ContainerError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode;
  }
}

export function invalid(message: string, hint?: string): ContainerError {
  return new ContainerError('invalid', message, hint === undefined ? {} : { hint });
}

export function noSuchContainer(text: string): ContainerError {
  return new ContainerError('no-such-container', `No such container: ${text}`);
}
