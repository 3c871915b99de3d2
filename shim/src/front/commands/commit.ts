import { commitImage, storeLayer } from '../../../../imagetool/src/image/commit.ts';
import { changedConfig } from '../../../../imagetool/src/image/config-changes.ts';
import { configDigest } from '../../../../imagetool/src/image/find.ts';
import { loadImage } from '../../../../imagetool/src/image/load.ts';
import { parsePlatform } from '../../../../imagetool/src/image/platform.ts';
import { baseOf, parentOf } from '../../../../imagetool/src/layer/names.ts';
import { writeLayer } from '../../../../imagetool/src/layer/write.ts';
import { formatReference, parseReference, type Reference, withDefaultTag } from '../../../../imagetool/src/reference/reference.ts';
import { LEASE_MS, takeLease } from '../../../../imagetool/src/store/leases.ts';
import { addImage, setImage } from '../../../../imagetool/src/store/refs.ts';
import type { Store } from '../../../../imagetool/src/store/store.ts';
import type { ContainerConfig } from '../../../../specs/image/config.ts';
import type { Descriptor } from '../../../../specs/image/descriptor.ts';
import { findContainer } from '../../container/containers.ts';
import { recordContainerEvent } from '../../container/events.ts';
import type { ContainerRecord, RunConfig } from '../../container/record.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Command, Context } from '../context.ts';
import { containerChanges } from '../filesystem/container-changes.ts';
import { whileStill } from '../filesystem/standstill.ts';

export const commit: Command = async (context, args) => {
  const [text = '', name] = args.positionals;
  const container = findContainer(context.places, text);
  const reference = name === undefined ? undefined : withDefaultTag(parseReference(name));
  const pauses = !args.flag('no-pause') && (!args.has('pause') || args.flag('pause'));
  const keep = () => commitContainer(context, args, container.record, reference);
  return await (pauses ? whileStill(context, container, keep) : keep());
};

async function commitContainer(
  context: Context,
  args: Arguments,
  record: ContainerRecord,
  reference: Reference | undefined,
): Promise<number> {
  const image = await makeImage(context, args, record);
  const store = await context.store();
  await (reference === undefined ? addImage(store, image) : setImage(store, formatReference(reference), image));
  context.print((await configDigest(store.layout, image)) ?? image.digest);
  recordContainerEvent(context.places, record, 'commit', { comment: args.value('message') ?? '' });
  return 0;
}

async function makeImage(context: Context, args: Arguments, record: ContainerRecord): Promise<Descriptor> {
  const store = await context.store();
  const base = await loadImage(store.layout, record.ImageDescriptor, parsePlatform(record.Platform));
  // Wrong instructions are found before any work is done.
  const config = changedConfig(imageConfigOf(record.Config), args.values('change'));
  const lease = await takeLease(store, { id: `commit-${process.pid}`, expiresInMs: LEASE_MS });
  try {
    const layer = await storeLayer(store, lease, layerOf(store, record), 'gzip');
    const [author, comment] = [args.value('author'), args.value('message')];
    return await commitImage(store, lease, base, layer, {
      created: new Date().toISOString(),
      createdBy: [...(record.Config.Entrypoint ?? []), ...(record.Config.Cmd ?? [])].join(' '),
      edit: () => config,
      ...(author === undefined ? {} : { author }),
      ...(comment === undefined ? {} : { comment }),
    });
  } finally {
    lease.release();
  }
}

function layerOf(store: Store, record: ContainerRecord): AsyncIterable<Uint8Array> {
  const { changes, upper } = containerChanges(store, record);
  return writeLayer(changes, upper, { parent: (path) => (path === '' ? upper.root : upper.list(parentOf(path)).get(baseOf(path))) });
}

/** The container's, without what is only of this container. */
function imageConfigOf(run: RunConfig): ContainerConfig {
  const {
    Hostname: _1,
    Domainname: _2,
    Tty: _3,
    OpenStdin: _4,
    StdinOnce: _5,
    AttachStdin: _6,
    AttachStdout: _7,
    AttachStderr: _8,
    Image: _9,
    StopTimeout: _10,
    ...rest
  } = run;
  return rest;
}
