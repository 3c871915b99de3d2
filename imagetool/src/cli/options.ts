/** Options that several commands share. */

import { type OptionSpec, type ParsedArgs, usage } from './args.ts';

export const PLATFORM: OptionSpec = {
  name: 'platform',
  value: 'OS/ARCH[/VARIANT]',
  help: 'the platform to take from an index (default: this machine’s)',
};
export const QUIET: OptionSpec = { name: 'quiet', short: 'q', help: 'print only the result' };
export const JSON_OUTPUT: OptionSpec = { name: 'json', help: 'print JSON' };
export const PARALLEL: OptionSpec = { name: 'parallel', value: 'N', help: 'transfers at once (default 8)' };

export const CHANGE: OptionSpec = {
  name: 'change',
  short: 'c',
  value: 'INSTRUCTION',
  help: 'change the configuration as a Dockerfile does: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR; may be repeated',
};

export function parallelOf(args: ParsedArgs): { parallel?: number } {
  const text = args.value('parallel');
  if (text === undefined) return {};
  if (!/^[1-9]\d{0,2}$/.test(text)) throw usage('--parallel needs a number from 1 to 999');
  return { parallel: Number(text) };
}
