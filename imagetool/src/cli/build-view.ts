/** How the progress of a build is shown: live on a terminal, as lines elsewhere, as JSON, or not at all. */

import { fstatSync } from 'node:fs';
import { jsonProgress, plainProgress } from '../build/progress/plain.ts';
import type { BuildListener } from '../build/progress/progress.ts';
import { terminalProgress } from '../build/progress/terminal.ts';
import { type ParsedArgs, usage } from './args.ts';
import type { Context } from './command.ts';

export interface BuildView {
  readonly listener: BuildListener;
  close(): void;
}

const NOTHING = (): void => undefined;

export function buildView(context: Context, args: ParsedArgs): BuildView {
  const kind = args.value('progress') ?? 'auto';
  const write = (line: string): void => context.note(line);
  if (args.flag('quiet')) return { listener: NOTHING, close: NOTHING };
  if (kind === 'json' || kind === 'rawjson') return { listener: jsonProgress(write), close: NOTHING };
  if (kind === 'plain' || (kind === 'auto' && !isTerminal())) return { listener: plainProgress(write), close: NOTHING };
  if (kind !== 'auto' && kind !== 'tty') throw usage(`--progress cannot be ${kind}: auto, tty, plain or json`);
  return closedOnce(terminalProgress({ columns: process.stderr.columns || 80, write: (text) => process.stderr.write(text) }));
}

/** What is no character device is no terminal, which is known without Node's stream. */
function isTerminal(): boolean {
  return fstatSync(2).isCharacterDevice() && process.stderr.isTTY;
}

function closedOnce(view: BuildView): BuildView {
  let isOpen = true;
  return {
    listener: view.listener,
    close: () => {
      if (isOpen) view.close();
      isOpen = false;
    },
  };
}
