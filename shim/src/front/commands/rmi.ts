import { findStoredImage } from '../../../../imagetool/src/image/find.ts';
import { listImages } from '../../../../imagetool/src/store/refs.ts';
import type { Descriptor } from '../../../../specs/image/descriptor.ts';
import { listContainers } from '../../container/containers.ts';
import { ContainerError } from '../../container/errors.ts';
import { recordEvent } from '../../container/events.ts';
import { shortId } from '../../container/id.ts';
import { isRunning } from '../../container/record.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command, Context } from '../context.ts';
import { runTsimg, sameFlags } from '../images/tsimg.ts';

export const rmi: Command = (context, args) =>
  forEach(context, args.positionals, async (text) => {
    await refuseUsed(context, text, args.flag('force'));
    await runTsimg(context, 'rmi', [...sameFlags(args, ['force', 'no-prune'], []), text]);
    recordEvent(context.places, 'image', 'untag', { ID: text, Attributes: { name: text } });
  });

/** The last name of an image that containers are made of stays, unless it is forced; never goes one that runs. */
async function refuseUsed(context: Context, text: string, force: boolean): Promise<void> {
  const { layout } = await context.store();
  const { descriptor } = await findStoredImage(layout, text);
  const user = usersOf(context, descriptor)[0];
  const names = listImages(layout).filter((image) => image.descriptor.digest === descriptor.digest);
  if (user === undefined || names.length > 1) return;
  const isActive = isRunning(user.state);
  if (force && !isActive) return;
  const kind = isActive ? 'running' : 'stopped';
  const can = isActive ? 'cannot be forced' : 'must be forced';
  throw new ContainerError(
    'in-use',
    `conflict: unable to remove repository reference "${text}" (${can}) - ${kind} container ${shortId(user.record.Id)} is using its referenced image ${shortId(user.record.Image)}`,
  );
}

function usersOf(context: Context, image: Descriptor) {
  return listContainers(context.places)
    .filter(({ record }) => record.ImageDescriptor.digest === image.digest)
    .sort((a, b) => Number(isRunning(b.state)) - Number(isRunning(a.state)));
}
