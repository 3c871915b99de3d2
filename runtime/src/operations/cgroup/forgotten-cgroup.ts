/** The cgroup of a container whose record does not name it: its create was killed right after making it, or the record is spoilt. */

import { RuntimeError } from '../../base/errors.ts';
import { cgroupOfProcess, findHierarchy } from '../../cgroups/hierarchy.ts';
import { cgroupfsPath } from '../../cgroups/path.ts';
import { killAll, processes } from '../../cgroups/processes.ts';
import { removeCgroup } from '../../cgroups/remove.ts';
import { ENOENT, isErrno } from '../../linux/errno.ts';
import { SIGKILL } from '../../linux/processes.ts';
import type { ContainerDirectory } from '../../state/store.ts';
import type { LightContext } from '../context/light-context.ts';

/** Removes it if the frozen configuration tells where it is. Without `kill` one that holds processes is somebody else's and stays. */
export function removeForgottenCgroup({ sys }: LightContext, container: ContainerDirectory, options: { readonly kill: boolean }): void {
  const cgroupsPath = configuredPath(container);
  const hierarchy = findHierarchy(sys);
  if (cgroupsPath === undefined || hierarchy === undefined) return;
  const path = cgroupfsPath({ cgroupsPath, id: container.id, ownCgroup: cgroupOfProcess(sys, 'self') ?? '/' });
  const directory = `${hierarchy.mountPoint}/${path}`;
  if (options.kill) killAll(sys, directory, SIGKILL);
  else if (processes(sys, directory, { recursive: true }).length > 0) return;
  removeCgroup(sys, directory);
}

/** `linux.cgroupsPath`, '' when there is none in the configuration, undefined when there is no configuration. */
function configuredPath(container: ContainerDirectory): string | undefined {
  try {
    const config: { readonly linux?: { readonly cgroupsPath?: unknown } } = JSON.parse(container.readConfig());
    const path = config.linux?.cgroupsPath;
    return typeof path === 'string' ? path : '';
  } catch (error) {
    if (isErrno(error, ENOENT) || error instanceof SyntaxError) return undefined;
    if (error instanceof RuntimeError) throw error;
    // Not an object.
    return undefined;
  }
}
