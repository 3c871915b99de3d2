/** Making a container: everything is checked before anything is made, and what was made is taken back when a later step fails. */

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareSnapshot } from '../../../../imagetool/src/image/prepare-snapshot.ts';
import { takeLease } from '../../../../imagetool/src/store/leases.ts';
import type { Store } from '../../../../imagetool/src/store/store.ts';
import { isInUserNamespace } from '../../../../runtime/src/linux/user-namespace.ts';
import type { Sys } from '../../../../runtime/src/sys/sys.ts';
import { capabilitiesOf } from '../../container/capabilities.ts';
import { beginContainer, claimName, findId, removeContainerFiles, writeRecord, writeState } from '../../container/containers.ts';
import { ContainerError, invalid } from '../../container/errors.ts';
import { recordContainerEvent } from '../../container/events.ts';
import { newId } from '../../container/new-id.ts';
import { containerPlaces, type Places } from '../../container/places.ts';
import { type ContainerRecord, type HostConfig, NEW_STATE, type NetworkRequest } from '../../container/record.ts';
import { containerLease } from '../../container/removal.ts';
import { runtimeResources } from '../../container/resources.ts';
import { removeRootfs, rootfsPaths } from '../../container/rootfs.ts';
import { securityOptions } from '../../container/security-options.ts';
import { timestamp } from '../../container/timestamp.ts';
import { DEFAULT_NETWORK, findNetwork, type Network } from '../../network/networks.ts';
import { isInSubnet6 } from '../../network/subnet6.ts';
import type { Arguments } from '../cli/flags.ts';
import type { Context } from '../context.ts';
import { hostConfigOf, networksOf } from '../options/host-config.ts';
import { runConfigOf } from '../options/run-config.ts';
import { copyUp } from './copy-up.ts';
import { type FoundImage, findImage } from './find-image.ts';
import { type PlannedMounts, planMounts } from './mounts.ts';

/** @throws ContainerError, ImageError; then nothing is left but the image */
export async function createContainer(context: Context, args: Arguments, isDetached: boolean): Promise<ContainerRecord> {
  const [imageName = '', ...command] = args.positionals;
  const host = hostConfigOf(args);
  checkSettings(host);
  warnOfLimits(host, await context.sys(), context.note);
  const id = newId();
  const image = await findImage(context, {
    name: imageName,
    pull: args.value('pull') ?? 'missing',
    platform: args.value('platform'),
    quiet: args.flag('quiet'),
  });
  const run = runConfigOf({ args, image: image.config.config ?? {}, imageName, command, id, env: context.env, isDetached });
  const networks = networkRequests(context.places, args, host);
  if (isInUserNamespace(await context.sys())) checkUserNetworks(networks);
  const parts = { id, name: args.value('name'), image, host, run, networks };
  const record = await make(context, args, parts);
  recordContainerEvent(context.places, record, 'create');
  return record;
}

interface Parts {
  readonly id: string;
  readonly name: string | undefined;
  readonly image: FoundImage;
  readonly host: HostConfig;
  readonly run: ContainerRecord['Config'];
  readonly networks: readonly NetworkRequest[];
}

async function make(context: Context, args: Arguments, parts: Parts): Promise<ContainerRecord> {
  const { places } = context;
  const { id, image, host } = parts;
  const store = await context.store();
  if (host.ContainerIDFile !== '') claimIdFile(host.ContainerIDFile, id);
  beginContainer(places, id);
  try {
    const Name = claimName(places, parts.name, id);
    const planned = planMounts(places, args, Object.keys(parts.run.Volumes ?? {}), process.cwd());
    await mountRootfs(store, id, image);
    await fill(context, store, id, planned);
    const record: ContainerRecord = {
      Id: id,
      Created: timestamp(),
      Name,
      Image: image.id,
      ImageDescriptor: image.stored,
      Platform: image.platform,
      Config: parts.run,
      HostConfig: host,
      Mounts: [...planned.mounts],
      Networks: [...parts.networks],
      LogPath: containerPlaces(places, id).log,
    };
    writeState(places, id, NEW_STATE);
    writeRecord(places, record);
    return record;
  } catch (error) {
    undo(store, places, id, parts.name);
    if (host.ContainerIDFile !== '') rmSync(host.ContainerIDFile, { force: true });
    throw error;
  }
}

function undo(store: Store, places: Places, id: string, name: string | undefined): void {
  removeRootfs(store, id);
  if (name !== undefined && findsOwn(places, name, id)) rmSync(join(places.names, name), { force: true });
  removeContainerFiles(places, id);
}

function findsOwn(places: Places, name: string, id: string): boolean {
  try {
    return findId(places, name) === id;
  } catch {
    return false;
  }
}

async function mountRootfs(store: Store, id: string, image: FoundImage): Promise<void> {
  const lease = await takeLease(store, { id: containerLease(id) });
  try {
    const blobs = [
      image.stored.digest,
      image.descriptor.digest,
      image.manifest.config.digest,
      ...image.manifest.layers.map(({ digest }) => digest),
    ];
    await lease.protect(...blobs);
    await prepareSnapshot(store, image, { id, isRootless: false });
    lease.abandon();
  } catch (error) {
    lease.release();
    throw error;
  }
}

async function fill(context: Context, store: Store, id: string, { fills }: PlannedMounts): Promise<void> {
  if (fills.length === 0) return;
  const sys = await context.sys();
  for (const { volume, target } of fills) copyUp(sys, rootfsPaths(store, id).merged, target, volume);
}

/** Whatever can be known to be wrong without the image. */
function checkSettings(host: HostConfig): void {
  capabilitiesOf(host);
  securityOptions(host.SecurityOpt);
  if (host.UsernsMode === 'auto') {
    throw new ContainerError('unsupported', '--userns=auto is not supported', { hint: 'There is host, which is the default.' });
  }
}

/** As docker without delegated cgroups: what it can do without, it does without. */
function warnOfLimits(host: HostConfig, sys: Sys, note: (line: string) => void): void {
  if (!isInUserNamespace(sys) || Object.keys(runtimeResources(host)).length === 0) return;
  note("WARNING: A container of a user who is not root has no cgroup of its own: its limits are discarded. 'sudo tsctl' has them.");
}

/** pasta and slirp4netns join a container to the host, and not to others. */
function checkUserNetworks(networks: readonly NetworkRequest[]): void {
  if (networks.every(({ name, ip, ip6, mac }) => name === DEFAULT_NETWORK && ip === undefined && ip6 === undefined && mac === undefined))
    return;
  throw new ContainerError(
    'unsupported',
    'a container of a user who is not root has the default network only, without --ip and --mac-address',
    {
      hint: 'Use --network bridge (the default), none, host, or container:NAME; published ports are reached from everywhere.',
    },
  );
}

function claimIdFile(path: string, id: string): void {
  if (existsSync(path)) {
    throw invalid(`container ID file found, make sure the other container isn't running or delete ${path}`);
  }
  writeFileSync(path, id, { flag: 'wx', mode: 0o644 });
}

/** @throws ContainerError no-such-network */
function networkRequests(places: Places, args: Arguments, host: HostConfig): NetworkRequest[] {
  const mode = host.NetworkMode;
  if (mode.startsWith('container:')) {
    findId(places, mode.slice('container:'.length));
    return [];
  }
  if (mode === 'host' || mode === 'none') return [];
  const given = networksOf(args);
  const names = given.length === 0 ? [mode] : given;
  const ip = args.value('ip');
  const mac = args.value('mac-address');
  const ip6 = args.value('ip6');
  if (ip6 !== undefined) checkAddress6(findNetwork(places, names[0] ?? ''), ip6);
  return names.map((name, index) => ({
    name: findNetwork(places, name).name,
    aliases: [...args.values('network-alias')],
    ...(ip === undefined || index > 0 ? {} : { ip }),
    ...(ip6 === undefined || index > 0 ? {} : { ip6 }),
    ...(mac === undefined || index > 0 ? {} : { mac }),
  }));
}

/** @throws ContainerError invalid */
function checkAddress6({ name, subnet6 }: Network, address: string): void {
  if (subnet6 === undefined) {
    throw invalid(
      'invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets',
      `Network ${name} has no IPv6: tsctl network create --ipv6 --subnet fd00:1::/64 makes one that has.`,
    );
  }
  if (!isInSubnet6(address, subnet6)) throw invalid(`invalid endpoint settings:\nno configured subnet contains IP address ${address}`);
}
