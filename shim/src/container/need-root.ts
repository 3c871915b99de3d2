import { ContainerError } from './errors.ts';

/** Networks, mounts and cgroups are the machine's. @throws ContainerError unsupported for anybody but root */
export function needRoot(uid = process.geteuid?.() ?? 0): void {
  if (uid === 0) return;
  throw new ContainerError('unsupported', 'containers of tsctl need root', {
    hint: 'Run it with sudo. What needs no root: tsimg pull, build and unpack, then tsrun run.',
  });
}
