/**
 * A trial container without a program: an agent makes each namespace, and mounts what containers mount, in namespaces of its own. Nothing of it is
 * visible outside, and all of it is gone with the agent.
 */
import { startAgent } from '../../init/agent-process.ts';
import { InitProcess } from '../../init/init-process.ts';
import { Program } from '../../init/program.ts';
import { tryCall } from '../../linux/call.ts';
import { MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_REC } from '../../linux/mount-flags.ts';
import { NAMESPACE_TYPES, NAMESPACES, type NamespaceType } from '../../linux/namespaces.ts';
import { AT_FDCWD } from '../../linux/open-flags.ts';
import { waitForExit } from '../../linux/processes.ts';
import { writeIdMaps } from '../assemble/id-maps.ts';
import type { Examination } from './finding.ts';

/** 0, or a negated errno: the answer of the kernel to the trial; undefined where it was not tried. */
export interface TrialResults {
  readonly namespaces: { readonly [Type in NamespaceType]?: number };
  readonly idMaps: Error | undefined;
  readonly tmpfs: number | undefined;
  readonly overlay: number | undefined;
  readonly mqueue: number | undefined;
}

/** There in every host, and hidden in the trial's mount namespace only. */
const PLACE = '/tmp';
const DIRECTORIES = ['lower', 'upper', 'work', 'merged', 'queue'];
const MODE = 0o700;
const CHANNEL = 3;

/** @throws RuntimeError when not even the agent can be started */
export function tryContainer(examination: Examination): TrialResults {
  const { sys, privileged } = examination;
  return withAgent(examination, (process) => {
    const namespaces: { [Type in NamespaceType]?: number } = {};
    if (!privileged) {
      namespaces.user = tryNamespaces(process, ['user']).get('user') ?? 0;
      if (namespaces.user < 0) return { namespaces, idMaps: undefined, ...NO_MOUNTS };
    }
    const idMaps = privileged ? undefined : mapOwnIds(sys, process.pid);
    const others = NAMESPACE_TYPES.filter((type) => type !== 'user');
    Object.assign(namespaces, Object.fromEntries(tryNamespaces(process, others)));
    // Root's own user namespace comes last, and is given up with the agent: mounts would be its, not the host's.
    const mounts = namespaces.mount === 0 ? tryMounts(process) : NO_MOUNTS;
    if (privileged) namespaces.user = tryNamespaces(process, ['user']).get('user') ?? 0;
    return { namespaces, idMaps, ...mounts };
  });
}

function withAgent<T>({ context, sys }: Examination, body: (process: InitProcess) => T): T {
  const fds = context.caller.stdio.map((fd, index) => [fd, index] as const);
  const agent = startAgent(sys, { image: context.agentImage(), fds, channelFd: CHANNEL });
  const process = new InitProcess(sys, agent.pid, agent.channel);
  try {
    return body(process);
  } finally {
    process.release();
    waitForExit(sys, agent.pid);
  }
}

function tryNamespaces(process: InitProcess, types: readonly NamespaceType[]): Map<NamespaceType, number> {
  const program = new Program({ step: 'try the namespaces' });
  const calls = types.map((type) => [type, program.call('unshare', [NAMESPACES[type].flag], { ignore: 'all' })] as const);
  const results = process.run(program);
  return new Map(calls.map(([type, call]) => [type, results.value(call)]));
}

function mapOwnIds(sys: Examination['sys'], pid: number): Error | undefined {
  const own = (id: number) => [{ containerID: 0, hostID: id, size: 1 }];
  try {
    writeIdMaps(sys, pid, own(tryCall(sys, 'geteuid')), own(tryCall(sys, 'getegid')));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

const NO_MOUNTS = { tmpfs: undefined, overlay: undefined, mqueue: undefined };

function tryMounts(process: InitProcess): Pick<TrialResults, 'tmpfs' | 'overlay' | 'mqueue'> {
  const first = new Program({ step: 'try the mounts' });
  const isolated = first.call('mount', [null, '/', null, MS_REC + MS_PRIVATE, null], { ignore: 'all' });
  const place = first.call('mount', ['tmpfs', PLACE, 'tmpfs', MS_NOSUID + MS_NODEV, 'mode=755'], { ignore: 'all' });
  const firstResults = process.run(first);
  const tmpfs = Math.min(firstResults.value(isolated), firstResults.value(place));
  // Without it the rest would be made in the host's own directory.
  if (tmpfs < 0) return { ...NO_MOUNTS, tmpfs };
  const program = new Program({ step: 'try the mounts' });
  for (const name of DIRECTORIES) program.call('mkdirat', [AT_FDCWD, `${PLACE}/${name}`, MODE], { ignore: 'all' });
  const layers = `lowerdir=${PLACE}/lower,upperdir=${PLACE}/upper,workdir=${PLACE}/work`;
  const overlay = program.call('mount', ['overlay', `${PLACE}/merged`, 'overlay', 0, layers], { ignore: 'all' });
  const mqueue = program.call('mount', ['mqueue', `${PLACE}/queue`, 'mqueue', MS_NOSUID + MS_NODEV, null], { ignore: 'all' });
  const results = process.run(program);
  return { tmpfs, overlay: results.value(overlay), mqueue: results.value(mqueue) };
}
