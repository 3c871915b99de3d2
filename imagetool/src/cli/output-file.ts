/** Where archives go: to a file, or to standard output. */

import { deliverToFile, deliverToStandardOutput } from '../archive/deliver.ts';
import { type OptionSpec, type ParsedArgs, usage } from './args.ts';

export const OUTPUT: OptionSpec = { name: 'output', short: 'o', value: 'FILE', help: 'where to, instead of standard output' };

/** Writes where --output says. To be asked before the archive is begun: refuses a terminal. Throws ImageError `usage`. */
export function archiveOutput(args: ParsedArgs): (archive: AsyncIterable<Uint8Array>) => Promise<void> {
  const path = args.value('output');
  if (path !== undefined) return (archive) => deliverToFile(archive, path, 0o644);
  if (process.stdout.isTTY) throw usage('an archive is nothing for a terminal: use -o, or redirect');
  return deliverToStandardOutput;
}
