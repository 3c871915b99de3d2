/** For tests: commands in this process, with a store of their own. */

import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { RegistryClient } from '../registry/client.ts';
import type { Transport } from '../registry/transport.ts';
import { openLayout, openStore } from '../store/store.ts';
import { parseArgs } from './args.ts';
import type { Command, Context } from './command.ts';

export interface Ran {
  readonly status: number;
  /** Standard output. */
  readonly lines: readonly string[];
  readonly notes: readonly string[];
}

export type CommandRunner = (command: Command, ...argv: readonly string[]) => Promise<Ran>;

/** Runs commands on the store at `root`. Failures are thrown. */
export function commandRunner(root: string, transport?: Transport): CommandRunner {
  return async (command, ...argv) => {
    const [lines, notes]: [string[], string[]] = [[], []];
    const context: Context = {
      env: { SOURCE_DATE_EPOCH: '1700000000' },
      print: (line) => lines.push(line),
      note: (line) => notes.push(line),
      sys: async () => createNodeSys(),
      layout: () => openLayout(root),
      store: async () => openStore(root, createNodeSys()),
      progress: async () => () => undefined,
      client: async ({ domain }) => {
        if (transport === undefined) throw new Error('this test has no registry');
        return new RegistryClient({ host: domain, transport, credentials: async () => undefined });
      },
    };
    const status = (await command.run(context, parseArgs(argv, command.options))) ?? 0;
    return { status, lines, notes };
  };
}
