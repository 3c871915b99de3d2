import { hostPlatform, parsePlatform } from '../image/platform.ts';
import { type ImageSource, storedSource } from '../image/source.ts';
import { parseReference, withDefaultTag } from '../reference/reference.ts';
import type { OptionSpec, ParsedArgs } from './args.ts';
import type { Context } from './command.ts';

export const REMOTE: OptionSpec = { name: 'remote', help: 'look at the registry, without pulling; the same as docker://IMAGE' };
const REMOTE_PREFIX = 'docker://';

/** The image an argument means: of the store, or, as `docker://…` and with --remote, of a registry. */
export async function imageSource(context: Context, args: ParsedArgs, text: string): Promise<ImageSource> {
  const isMarked = text.startsWith(REMOTE_PREFIX);
  if (!isMarked && !args.flag('remote')) return await storedSource(context.layout(), text);
  const reference = withDefaultTag(parseReference(isMarked ? text.slice(REMOTE_PREFIX.length) : text));
  const { remoteSource } = await import('../image/remote-source.ts');
  return await remoteSource(await context.client(reference), reference);
}

/** What --platform says, or this machine's. */
export function platformOf(args: ParsedArgs): ReturnType<typeof hostPlatform> {
  const text = args.value('platform');
  return text === undefined ? hostPlatform() : parsePlatform(text);
}
