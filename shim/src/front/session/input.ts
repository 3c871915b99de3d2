/** What comes in on standard input, to a container: raw from a terminal, watched for the keys that detach. */

import { rawModes, setTerminalModes, terminalModes } from '../../../../runtime/src/linux/terminal.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { DetachKeys, parseDetachKeys } from './detach-keys.ts';

export interface InputTarget {
  write(data: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** The detach keys were typed. */
  detach(): void;
}

export interface InputOptions {
  readonly sys: Sys;
  /** The container has a terminal: so is this one put into raw mode, and the keys are watched for. */
  readonly tty: boolean;
  readonly detachKeys: string;
}

/** Returns the function that ends it and gives the terminal back as it was. */
export function forwardInput(target: InputTarget, options: InputOptions): () => void {
  const { stdin } = process;
  const isRaw = options.tty && stdin.isTTY;
  const keys = isRaw ? new DetachKeys(parseDetachKeys(options.detachKeys)) : undefined;
  const giveBack = isRaw ? makeRaw(options.sys) : () => undefined;
  let isOver = false;
  const failed = () => stop();
  const take = (chunk: Uint8Array) => {
    const typed = keys?.take(chunk) ?? { bytes: chunk, isDetach: false };
    stdin.pause();
    const sent = typed.bytes.length === 0 ? Promise.resolve() : target.write(typed.bytes);
    sent.then(() => {
      if (!isOver) stdin.resume();
    }, failed);
    if (typed.isDetach) target.detach();
  };
  const end = () => {
    target.end().catch(failed);
  };
  const stop = () => {
    if (isOver) return;
    isOver = true;
    stdin.off('data', take);
    stdin.off('end', end);
    stdin.pause();
    giveBack();
  };
  stdin.on('data', take);
  stdin.on('end', end);
  stdin.on('error', failed);
  stdin.resume();
  return stop;
}

const STDIN = 0;

/** Not by Node's raw mode, which goes on treating newlines of the output: what the container's terminal has done already. */
function makeRaw(sys: Sys): () => void {
  const modes = terminalModes(sys, STDIN);
  if (modes === undefined) return () => undefined;
  setTerminalModes(sys, STDIN, rawModes(modes, { keepOutput: false }));
  const restore = () => setTerminalModes(sys, STDIN, modes);
  process.on('exit', restore);
  return () => {
    process.off('exit', restore);
    restore();
  };
}
