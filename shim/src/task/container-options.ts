/** What makes a container, and an exec in it. */
import type { StreamUris } from '../stdio/process-io.ts';

export interface ContainerOptions {
  readonly id: string;
  readonly bundle: string;
  /** Its root file system is mounted by us. */
  readonly mounted: boolean;
  /** The runtime's root directory for this container. */
  readonly root: string;
}

export interface ExecOptions extends StreamUris {
  readonly execId: string;
  readonly terminal: boolean;
  /** JSON of a process that was checked. */
  readonly spec: string;
}
