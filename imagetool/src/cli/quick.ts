/**
 * What tsimg answers without Node. A form and the code that prints are those of the Node command; what is missing here is what takes long or cannot be
 * done over. See runtime/native/README.md, "Fronts of Node commands".
 */

import { VERSION } from '../../../runtime/src/base/version.ts';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { readFileIfExists, writeAll } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { sysFileReader } from '../base/sys-file-reader.ts';
import { DEFAULT_PARALLEL } from '../image/defaults.ts';
import { knownListing, listedImages } from '../image/listing.ts';
import { linuxPlatform } from '../image/platform-names.ts';
import { quickPush } from '../image/quick-push.ts';
import { parseReference, withDefaultTag } from '../reference/reference.ts';
import { defaultRoot } from '../store/default-root.ts';
import { LAYOUT_VERSION, type Layout, layoutAt, versionOf } from '../store/layout.ts';
import { type ParsedArgs, parseArgs } from './args.ts';
import type { CommandForm } from './command-form.ts';
import { GLOBAL, splitCommandLine } from './command-line.ts';
import { IMAGES, imageLines } from './image-list.ts';
import { parallelOf } from './options.ts';
import { progressLines } from './progress-lines.ts';
import { PUSH, pushedLine } from './push-form.ts';
import { VERSION_FORM, versionText } from './version.ts';

const STDERR = 2;
const TCGETS = 0x5401;

/** The output of the command line in `sys.argv`, or undefined where Node has to be asked. Throws for failures, which Node then reports. */
export function quickAnswer(sys: Sys): string | undefined {
  const { word, words } = splitCommandLine(sys.argv.slice(1));
  switch (word) {
    case 'images':
    case 'ls':
      return answer(IMAGES, words, (args) => listImages(sys, args));
    case 'push':
      return answer(PUSH, words, (args) => push(sys, args));
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
  const layout = findLayout(sys, args);
  if (versionOf(files.text(layout.header) ?? '') !== LAYOUT_VERSION) return undefined;
  const rows = listedImages(knownListing(files, layout, linuxPlatform(sys.arch)));
  return rows === undefined ? undefined : imageLines(rows, args, Date.now());
}

/** Plain HTTP to a loopback address only; `--insecure`, `--cert-dir` and a view for people are Node's. */
function push(sys: Sys, args: ParsedArgs): readonly string[] | undefined {
  const isQuiet = args.flag('quiet');
  const isView = (args.value('progress') ?? 'auto') === 'auto' ? isTerminal(sys, STDERR) : args.value('progress') !== 'plain';
  if ([...args.values('insecure'), ...args.values('cert-dir')].length > 0 || (isView && !isQuiet)) return undefined;
  const [source = '', target = source] = args.positionals;
  const reference = withDefaultTag(parseReference(target));
  const layout = findLayout(sys, args);
  if (versionOf(readFileIfExists(sys, layout.header) ?? '') !== LAYOUT_VERSION) return undefined;
  const image = quickPush(sys, {
    layout,
    source,
    reference,
    environment: environmentOf(sys),
    parallel: parallelOf(args).parallel ?? DEFAULT_PARALLEL,
    userAgent: `tsimg/${VERSION}`,
    onProgress: isQuiet ? () => undefined : progressLines((line) => writeAll(sys, STDERR, `${line}\n`, 'standard error')),
  });
  return image === undefined ? undefined : [pushedLine(reference, image)];
}

function findLayout(sys: Sys, args: ParsedArgs): Layout {
  return layoutAt(args.value('root') ?? defaultRoot({ uid: call(sys, 'geteuid', ''), env: environmentOf(sys) }));
}

function isTerminal(sys: Sys, fd: number): boolean {
  return tryCall(sys, 'ioctl', fd, TCGETS, new ArrayBuffer(64)) === 0;
}

/** Of a name that is there twice, the first counts, as for getenv(3). */
function environmentOf(sys: Sys): Record<string, string> {
  const pairs = sys.environ.map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  return Object.fromEntries(pairs.reverse());
}
