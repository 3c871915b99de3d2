/** state: what is known of a container (runtime.md, "State", and what runc adds to it). */
import type { State, Status } from '../../../specs/runtime/state.ts';
import { readFileIfExists } from '../linux/files.ts';
import type { ContainerRecord } from '../state/record.ts';
import type { Sys } from '../sys/sys.ts';
import type { LightContext } from './context/light-context.ts';
import { observe } from './context/observe.ts';

/** The specification's state and more, in runc's order. */
export interface ContainerState extends State {
  /** 0 when there is no process. */
  readonly pid: number;
  readonly rootfs: string;
  readonly created: string;
  /** Name of the user who created it. */
  readonly owner: string;
}

export function state(context: LightContext, id: string): ContainerState {
  const { record, status } = observe(context, id);
  return containerState(record, status, userName(context.sys, record.owner));
}

export function containerState(record: ContainerRecord, status: Status, owner: string): ContainerState {
  return {
    ociVersion: record.ociVersion,
    id: record.id,
    pid: status === 'stopped' ? 0 : record.pid,
    status,
    bundle: record.bundle,
    rootfs: record.rootfs,
    created: record.created,
    ...(Object.keys(record.annotations).length === 0 ? {} : { annotations: record.annotations }),
    owner,
  };
}

/** The name in /etc/passwd, or `#uid`. */
export function userName(sys: Sys, uid: number): string {
  const lines = (readFileIfExists(sys, '/etc/passwd') ?? '').split('\n');
  const line = lines.find((candidate) => candidate.split(':')[2] === String(uid));
  return line?.slice(0, line.indexOf(':')) ?? `#${uid}`;
}
