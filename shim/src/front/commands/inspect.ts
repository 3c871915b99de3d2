import { ImageError } from '../../../../imagetool/src/base/errors.ts';
import { findContainer } from '../../container/containers.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import { findNetwork } from '../../network/networks.ts';
import { findVolume } from '../../volume/volumes.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command, Context } from '../context.ts';
import { inspectedPrinter } from '../listing/inspected-lines.ts';
import { inspection } from '../listing/inspection.ts';
import { networkInspection, volumeInspection } from '../listing/other-inspections.ts';

type Finder = (context: Context, text: string, args: Arguments) => Promise<object>;

const FINDERS: Readonly<Record<string, Finder>> = {
  container: inspectContainer,
  image: async (context, text) => {
    const { inspectImage } = await import('../images/inspect-image.ts');
    return await inspectImage(context, text);
  },
  network: async (context, text) => networkInspection(context.places, findNetwork(context.places, text)),
  volume: async (context, text) => volumeInspection(findVolume(context.places, text)),
};

export const inspect: Command = (context, args) => {
  const type = args.value('type');
  if (type !== undefined && FINDERS[type] === undefined)
    throw invalid(`unknown type: "${type}": must be one of "${Object.keys(FINDERS).join('", "')}"`);
  return inspectAll(context, args, type === undefined ? Object.keys(FINDERS) : [type]);
};

export const inspectContainers: Command = (context, args) => inspectAll(context, args, ['container']);
export const inspectImages: Command = (context, args) => inspectAll(context, args, ['image']);
export const inspectNetworks: Command = (context, args) => inspectAll(context, args, ['network']);
export const inspectVolumes: Command = (context, args) => inspectAll(context, args, ['volume']);

/** What is there is printed, what is not is said. */
async function inspectAll(context: Context, args: Arguments, types: readonly string[]): Promise<number> {
  const linesOf = inspectedPrinter(args.value('format'));
  const found: object[] = [];
  const missing: string[] = [];
  for (const text of args.positionals) {
    const object = await firstOf(context, text, args, types);
    if (object === undefined) missing.push(text);
    else found.push(object);
  }
  for (const line of linesOf(found)) context.print(line);
  const kind = types.length === 1 ? types[0] : 'object';
  for (const text of missing) context.note(`error: no such ${kind}: ${text}`);
  return missing.length > 0 ? 1 : 0;
}

async function firstOf(context: Context, text: string, args: Arguments, types: readonly string[]): Promise<object | undefined> {
  for (const type of types) {
    try {
      return await FINDERS[type]?.(context, text, args);
    } catch (error) {
      const isAbsent = error instanceof ContainerError && error.code.startsWith('no-such-');
      const hasNoImage = error instanceof ImageError && ['no-image', 'no-store'].includes(error.code);
      if (!isAbsent && !hasNoImage) throw error;
    }
  }
  return undefined;
}

async function inspectContainer(context: Context, text: string, args: Arguments): Promise<object> {
  const container = findContainer(context.places, text);
  const size = args.has('size') && args.flag('size') ? await sizeOf(context, container) : undefined;
  return inspection(container, { places: context.places, ...(size === undefined ? {} : { size }) });
}

async function sizeOf(context: Context, container: ReturnType<typeof findContainer>) {
  const { sizeOfContainer } = await import('../listing/sizes.ts');
  return (await sizeOfContainer(context))(container);
}
