/** What comes before the command. */

import { ContainerError } from '../../container/errors.ts';

export interface Globals {
  readonly root: string | undefined;
  readonly rest: readonly string[];
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
}

/** docker's own that mean something here come before the command; the others are refused with it. @throws ContainerError flag */
export function takeGlobals(words: readonly string[], env: Readonly<Record<string, string | undefined>>): Globals {
  const queue = [...words];
  let root = env['TSCTL_ROOT'];
  let [wantsHelp, wantsVersion] = [false, false];
  for (let word = queue[0]; word?.startsWith('-') === true; word = queue[0]) {
    queue.shift();
    if (word === '--help' || word === '-h') wantsHelp = true;
    else if (word === '--version' || word === '-v') wantsVersion = true;
    else if (word === '--root') root = queue.shift();
    else if (word.startsWith('--root=')) root = word.slice('--root='.length);
    else throw new ContainerError('flag', `unknown flag: ${word}`, { exitCode: 125, hint: "See 'tsctl --help'." });
  }
  return { root: root === '' ? undefined : root, rest: queue, wantsHelp, wantsVersion };
}
