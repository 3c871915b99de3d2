/** The state that hooks read and `state` prints (runtime.md, "State"). */
import type { State, Status } from '../../../../specs/runtime/state.ts';
import { isFrozen } from '../../cgroups/freezer.ts';
import type { ContainerRecord } from '../../state/record.ts';
import { isAlive, statusOf } from '../../state/status.ts';
import type { Sys } from '../../sys/sys.ts';

export function specState(record: ContainerRecord, status: Status, pid: number = record.pid): State {
  return {
    ociVersion: record.ociVersion,
    id: record.id,
    status,
    ...(status === 'stopped' ? {} : { pid }),
    bundle: record.bundle,
    annotations: record.annotations,
  };
}

/** What the container is doing now. `gate`: whether its start gate is there. */
export function currentStatus(sys: Sys, record: ContainerRecord, gate: boolean): Status {
  const alive = isAlive(sys, record);
  const frozen = alive && record.cgroup !== undefined && isFrozen(sys, record.cgroup.directory);
  return statusOf({ alive, gate, frozen, creating: record.pid === 0 });
}
