/** create: a bundle becomes a container that waits at its start gate (runtime.md, "Create"). */
import { saveProgram } from '../init/saved-program.ts';
import { parseContainerId } from '../spec/container-id.ts';
import type { ValidConfig } from '../spec/valid.ts';
import type { ContainerRecord } from '../state/record.ts';
import { START_PROGRAM } from '../state/store.ts';
import { assemble } from './assemble/assemble.ts';
import { waitAtGate } from './assemble/gate.ts';
import { type Announcements, announce, withPidfdSocket } from './caller/announce.ts';
import { checkConsole } from './caller/console.ts';
import type { CgroupManager } from './cgroup/cgroup-manager.ts';
import { loadBundle } from './context/bundle.ts';
import type { Context } from './context/context.ts';

export interface CreateOptions extends Announcements {
  readonly id: string;
  /** Absolute path. */
  readonly bundle: string;
  /** Connected socket that takes the terminal; needed exactly when the process has one. The caller closes it. */
  readonly consoleFd?: number | undefined;
  readonly noPivot?: boolean | undefined;
  readonly noNewKeyring?: boolean | undefined;
  /** Default: cgroupfs. */
  readonly cgroupManager?: CgroupManager | undefined;
}

/** A created container. Init is a child of this process. */
export interface Created {
  readonly record: ContainerRecord;
  readonly config: ValidConfig;
}

export function create(context: Context, options: CreateOptions): Created {
  const { sys } = context;
  parseContainerId(options.id);
  const bundle = loadBundle(context, options.bundle);
  checkConsole(bundle.config, { detached: true, socket: options.consoleFd !== undefined });
  const { id, consoleFd, noPivot, noNewKeyring, cgroupManager } = options;
  const record = withPidfdSocket(sys, options, (pidfdSocket) =>
    assemble(context, { id, consoleFd, noPivot, noNewKeyring, cgroupManager, gate: true, detached: true }, bundle, (assembled) => {
      const { directory, init, fds, program } = assembled;
      directory.writeFile(START_PROGRAM, saveProgram(sys, program));
      waitAtGate(sys, init, fds);
      announce(sys, assembled.record, options, pidfdSocket);
    }),
  );
  return { record, config: bundle.config };
}
