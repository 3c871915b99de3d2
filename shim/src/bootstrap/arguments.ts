/** The words that containerd starts a shim with, in the syntax of Go's package flag: `-name value`, `-name=value`, `--name`, and then the action. */

export interface ShimArguments {
  readonly action: 'start' | 'delete' | 'info' | 'version' | 'serve';
  readonly namespace: string;
  /** containerd's gRPC socket: it names the containerd that the shim serves. */
  readonly address: string;
  readonly publishBinary: string;
  readonly id: string;
  readonly bundle: string;
  /** Of the long-running process: where it listens. */
  readonly socket: string;
  /** And whose it is: see groupOf. */
  readonly group: string;
  readonly debug: boolean;
}

export class UsageError extends Error {}

const TEXT_FLAGS = ['namespace', 'address', 'publish-binary', 'id', 'bundle', 'socket', 'group', 'debug-socket'] as const;
const SWITCHES = ['debug', 'info', 'v', 'version', 'no-setup'] as const;
const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** Throws a UsageError that names the word. @param words without the name of the program */
export function parseArguments(words: readonly string[]): ShimArguments {
  const texts = new Map<string, string>();
  const switches = new Set<string>();
  let index = 0;
  for (; index < words.length; index++) {
    const word = words[index] ?? '';
    const match = /^--?([^-=][^=]*)(?:=([\s\S]*))?$/.exec(word);
    if (match === null || word === '--') {
      break;
    }
    const [, name = '', value] = match;
    if (isOneOf(TEXT_FLAGS, name)) {
      index += value === undefined ? 1 : 0;
      const text = value ?? words[index];
      if (text === undefined) {
        throw new UsageError(`flag needs an argument: -${name}`);
      }
      texts.set(name, text);
    } else if (isOneOf(SWITCHES, name)) {
      setSwitch(switches, name, value ?? 'true');
    } else {
      throw new UsageError(`flag provided but not defined: -${name}`);
    }
  }
  const text = (name: (typeof TEXT_FLAGS)[number]): string => texts.get(name) ?? '';
  return {
    action: actionOf(switches, words[words[index] === '--' ? index + 1 : index]),
    namespace: text('namespace'),
    address: text('address'),
    publishBinary: text('publish-binary'),
    id: text('id'),
    bundle: text('bundle'),
    socket: text('socket'),
    group: text('group'),
    debug: switches.has('debug'),
  };
}

function actionOf(switches: ReadonlySet<string>, word: string | undefined): ShimArguments['action'] {
  if (switches.has('v') || switches.has('version')) {
    return 'version';
  }
  if (switches.has('info')) {
    return 'info';
  }
  if (word === 'start' || word === 'delete' || word === 'serve') {
    return word;
  }
  throw new UsageError(
    word === undefined ? 'an action is missing: start or delete' : `unknown action ${JSON.stringify(word)}: start or delete`,
  );
}

function setSwitch(switches: Set<string>, name: string, value: string): void {
  if (TRUE.includes(value)) {
    switches.add(name);
  } else if (FALSE.includes(value)) {
    switches.delete(name);
  } else {
    throw new UsageError(`invalid boolean value ${JSON.stringify(value)} for -${name}`);
  }
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
