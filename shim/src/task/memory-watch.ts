/** Hearing of processes that the kernel kills for want of memory, before their ends are told. */
import { OomWatch } from '../../../runtime/src/cgroups/oom.ts';
import { POLLIN } from '../../../runtime/src/linux/poll.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import type { Poller, Watch } from '../base/poller.ts';

export class MemoryWatch {
  readonly #oom: OomWatch;
  readonly #watch: Watch;
  readonly #killed: () => void;
  #hasKilled = false;

  /** Undefined where the cgroup has no memory controller. @param killed called for every kill, by `look` too */
  static open(sys: Sys, poller: Poller, cgroup: string, killed: () => void): MemoryWatch | undefined {
    const oom = OomWatch.open(sys, cgroup);
    return oom === undefined ? undefined : new MemoryWatch(poller, oom, killed);
  }

  private constructor(poller: Poller, oom: OomWatch, killed: () => void) {
    this.#oom = oom;
    this.#killed = killed;
    this.#watch = poller.watch(oom.fd, POLLIN, () => this.look());
  }

  /** Reports what has happened by now. Returns whether there ever was a kill. */
  look(): boolean {
    const { kills } = this.#oom.read();
    this.#hasKilled ||= kills > 0;
    for (let kill = 0; kill < kills; kill++) this.#killed();
    return this.#hasKilled;
  }

  close(): void {
    this.#watch.close();
    this.#oom.close();
  }
}
