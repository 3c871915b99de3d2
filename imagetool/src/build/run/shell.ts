/** A shell at the user's terminal, in the state of a step. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../../runtime/src/operations/run.ts';
import { stringifyJson } from '../../../../specs/json/stringify-json.ts';
import type { Config } from '../../../../specs/runtime/config.ts';
import type { Store } from '../../store/store.ts';
import { runtimeContext } from './runtime.ts';
import type { StepSpace } from './workspace.ts';

const SHELL = '/bin/sh';

/** Returns its exit code when it ends. The event loop stands still meanwhile; nothing else may be running. */
export function runShell(store: Store, space: StepSpace, config: Config): number {
  const directory = join(space.directory, 'shell');
  mkdirSync(directory);
  const terminal = process.stdin.isTTY;
  const shell: Config = { ...config, process: { ...config.process, cwd: config.process?.cwd ?? '/', terminal, args: [SHELL] } };
  writeFileSync(join(directory, 'config.json'), stringifyJson(shell));
  return run(runtimeContext(store, [0, 1, 2]), { id: `${space.id}-shell`, bundle: directory, noSubreaper: true });
}
