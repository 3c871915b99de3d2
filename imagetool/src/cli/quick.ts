/**
 * What tsimg answers without Node. A form and the code that prints are those of the Node command; what is missing here is what takes long or changes
 * anything. See runtime/native/README.md, "Fronts of Node commands".
 */

import { call } from '../../../runtime/src/linux/call.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { sysFileReader } from '../base/sys-file-reader.ts';
import { knownListing, listedImages } from '../image/listing.ts';
import { linuxPlatform } from '../image/platform-names.ts';
import { defaultRoot } from '../store/default-root.ts';
import { LAYOUT_VERSION, layoutAt, versionOf } from '../store/layout.ts';
import { type ParsedArgs, parseArgs } from './args.ts';
import type { CommandForm } from './command-form.ts';
import { GLOBAL, splitCommandLine } from './command-line.ts';
import { IMAGES, imageLines } from './image-list.ts';
import { VERSION_FORM, versionText } from './version.ts';

/** The output of the command line in `sys.argv`, or undefined where Node has to be asked. Throws for failures, which Node then reports. */
export function quickAnswer(sys: Sys): string | undefined {
  const { word, words } = splitCommandLine(sys.argv.slice(1));
  switch (word) {
    case 'images':
    case 'ls':
      return answer(IMAGES, words, (args) => listImages(sys, args));
    case 'version':
      return answer(VERSION_FORM, words, () => [versionText()]);
    default:
      return undefined;
  }
}

function answer(
  form: CommandForm,
  words: readonly string[],
  lines: (args: ParsedArgs) => readonly string[] | undefined,
): string | undefined {
  const args = parseArgs(words, [...GLOBAL, ...form.options]);
  const [least, most] = form.positionals;
  if (args.flag('help') || args.positionals.length < least || args.positionals.length > most) return undefined;
  const printed = lines(args);
  return printed?.map((line) => `${line}\n`).join('');
}

function listImages(sys: Sys, args: ParsedArgs): readonly string[] | undefined {
  const files = sysFileReader(sys);
  const layout = layoutAt(args.value('root') ?? defaultRoot({ uid: call(sys, 'geteuid', ''), env: environmentOf(sys) }));
  if (versionOf(files.text(layout.header) ?? '') !== LAYOUT_VERSION) return undefined;
  const rows = listedImages(knownListing(files, layout, linuxPlatform(sys.arch)));
  return rows === undefined ? undefined : imageLines(rows, args, Date.now());
}

/** Of a name that is there twice, the first counts, as for getenv(3). */
function environmentOf(sys: Sys): Record<string, string> {
  const pairs = sys.environ.map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  return Object.fromEntries(pairs.reverse());
}
