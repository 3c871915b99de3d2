import { RuntimeError } from '../base/errors.ts';

/** `--format` of list and ps. */
export function outputFormat(text: string | undefined): 'table' | 'json' {
  if (text === undefined || text === 'table') return 'table';
  if (text === 'json') return 'json';
  throw new RuntimeError('usage', `invalid format option ${JSON.stringify(text)}: it is table or json`);
}

/** `--format` of what is a report: text or json. */
export function reportFormat(text: string | undefined): 'text' | 'json' {
  if (text === undefined || text === 'text') return 'text';
  if (text === 'json') return 'json';
  throw new RuntimeError('usage', `invalid format option ${JSON.stringify(text)}: it is text or json`);
}
