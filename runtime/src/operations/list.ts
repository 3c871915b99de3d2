/** list: the containers below the root directory. */
import { RuntimeError } from '../base/errors.ts';
import { EACCES, ENOTDIR, isErrno } from '../linux/errno.ts';
import { parseContainerId } from '../spec/container-id.ts';
import { isBusy } from '../state/busy.ts';
import type { LightContext } from './context/light-context.ts';
import { observedStatus } from './context/observe.ts';
import { type ContainerState, containerState, userName } from './state.ts';

/** In the order of their ids. What a killed create has left is `stopped`; one that cannot be read is left out with a warning. */
export function list(context: LightContext): ContainerState[] {
  const names = new Map<number, string>();
  const owner = (uid: number): string => {
    const name = names.get(uid) ?? userName(context.sys, uid);
    names.set(uid, name);
    return name;
  };
  return listIds(context).flatMap((id) => {
    try {
      const record = context.store.read(id);
      return [containerState(record, observedStatus(context, record), owner(record.owner))];
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      const broken = explainUnreadable(context, id, error);
      return broken === undefined ? [] : [broken];
    }
  });
}

export function listIds({ store }: LightContext): string[] {
  return store.list().filter(isId);
}

function isId(name: string): boolean {
  try {
    parseContainerId(name);
    return true;
  } catch (error) {
    if (error instanceof RuntimeError) return false;
    throw error;
  }
}

/** A container without a readable record, as far as it can be told what it is; undefined for what is none. */
function explainUnreadable(context: LightContext, id: string, error: RuntimeError): ContainerState | undefined {
  const { sys, store } = context;
  // A plain file in the root directory is not ours; a directory that has just vanished was deleted.
  if (isErrno(error, ENOTDIR)) return undefined;
  if (isErrno(error, EACCES)) {
    context.warn(`container ${id} cannot be read: ${error.message}`);
    return undefined;
  }
  if (error.code === 'not-found' && !store.list().includes(id)) return undefined;
  const busy = isBusy(sys, `${store.root}/${id}`);
  if (!busy) context.warn(`container ${id} is not whole, as after a killed create: remove it with delete --force`);
  return {
    ociVersion: '',
    id,
    pid: 0,
    status: busy ? 'creating' : 'stopped',
    bundle: '',
    rootfs: '',
    created: '',
    owner: '',
  };
}
