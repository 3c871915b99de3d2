/** A command of tsimg, called from here with words of its own. */

import { parseArgs } from '../../../../imagetool/src/cli/args.ts';
import { COMMANDS } from '../../../../imagetool/src/cli/commands.ts';
import { ContainerError } from '../../container/errors.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Context } from '../context.ts';

/** @throws ImageError */
export async function runTsimg(context: Context, name: string, words: readonly string[]): Promise<number> {
  const command = await COMMANDS.find((one) => one.name === name)?.load();
  if (command === undefined) throw new ContainerError('unsupported', `tsimg has no ${name}`);
  return (await command.run(await context.images(), parseArgs(words, command.options))) ?? 0;
}

/** Flags that both sides have, as words again. */
export function sameFlags(args: Arguments, flags: readonly string[], values: readonly string[]): string[] {
  return [
    ...flags.filter((name) => args.flag(name)).map((name) => `--${name}`),
    ...values.flatMap((name) => args.values(name).map((value) => `--${name}=${value}`)),
  ];
}
