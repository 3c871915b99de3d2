import { RuntimeError } from '../base/errors.ts';

/** `--format` of list and ps. */
export function outputFormat(text: string | undefined): 'table' | 'json' {
  if (text === undefined || text === 'table') return 'table';
  if (text === 'json') return 'json';
  throw new RuntimeError('usage', `invalid format option ${JSON.stringify(text)}: it is table or json`);
}
