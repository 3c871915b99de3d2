/**
 * What tsctl answers without Node: what reads a few files and prints. The code is that of the Node command; what is missing here is what takes long,
 * asks the shim or looks at images. See runtime/native/README.md, "Fronts of Node commands".
 */

import { defaultRoot } from '../../../imagetool/src/store/default-root.ts';
import { call } from '../../../runtime/src/linux/call.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { type ContainerReader, containerReader } from '../container/container-reader.ts';
import { type Places, placesAt } from '../container/places.ts';
import { sysFolderReader } from '../container/sys-folder-reader.ts';
import { type Arguments, parseArguments } from './cli/flags.ts';
import { takeGlobals } from './cli/globals.ts';
import { findCommand } from './grammar/commands.ts';
import { containerLines, wantsSizes } from './listing/container-list.ts';
import { inspectedPrinter } from './listing/inspected-lines.ts';
import { inspection } from './listing/inspection.ts';
import { portLines } from './listing/port-lines.ts';
import { shortVersion } from './listing/version-text.ts';

interface Data {
  readonly places: Places;
  readonly reader: ContainerReader;
}

type QuickCommand = (data: Data, args: Arguments) => readonly string[] | undefined;

const COMMANDS: Readonly<Record<string, QuickCommand>> = {
  ps: (data, args) => (wantsSizes(args) ? undefined : containerLines(args, { ...data, nowMs: Date.now(), sizeOf: () => undefined })),
  port: ({ places, reader }, { positionals: [text = '', wanted] }) => portLines(reader.findContainer(places, text), wanted),
  inspect: inspectContainers,
  'container inspect': inspectContainers,
};

/** The output of the command line in `sys.argv`, or undefined where Node has to be asked. Throws for failures, which Node then reports. */
export function quickAnswer(sys: Sys): string | undefined {
  const env = environmentOf(sys);
  const { root, rest, wantsHelp, wantsVersion } = takeGlobals(sys.argv.slice(1), env);
  if (wantsVersion) return `${shortVersion()}\n`;
  const found = findCommand(rest);
  const command = found === undefined ? undefined : COMMANDS[found.grammar.name];
  if (found === undefined || command === undefined || wantsHelp) return undefined;
  const args = parseArguments(found.grammar, found.rest);
  if (args.flag('help')) return undefined;
  const places = placesAt(root ?? defaultRoot({ uid: call(sys, 'geteuid', ''), env }));
  return command({ places, reader: containerReader(sysFolderReader(sys)) }, args)
    ?.map((line) => `${line}\n`)
    .join('');
}

/** Only where all of them are containers, which are what a name means first. */
function inspectContainers({ places, reader }: Data, args: Arguments): readonly string[] | undefined {
  if (args.flag('size') || !['container', undefined].includes(args.value('type'))) return undefined;
  const linesOf = inspectedPrinter(args.value('format'));
  return linesOf(args.positionals.map((text) => inspection(reader.findContainer(places, text), { places })));
}

/** Of a name that is there twice, the first counts, as for getenv(3). */
function environmentOf(sys: Sys): Record<string, string> {
  const pairs = sys.environ.map((entry): [string, string] => {
    const equals = entry.indexOf('=');
    return [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  return Object.fromEntries(pairs.reverse());
}
