/** Checkpoints and restores of one task: where CRIU works, and what becomes of what it says. */
import { copyFile, rm } from 'node:fs/promises';
import type { ArgumentsOf, CheckpointOptions, CreatedContainer, OperationName, Place, ResultOf, Stdio } from './operations/operation.ts';

/** What a restore needs, from the create on. */
export interface Restoration extends Pick<ArgumentsOf<'restore'>, 'checkpoint' | 'rootfs' | 'noPivot' | 'systemdCgroup'> {
  /** For CRIU's log; undefined: it is nobody's but the shim's. */
  readonly workPath: string | undefined;
}

export interface CriuWorkOptions {
  readonly place: Place;
  readonly bundle: string;
  /** In the state of the task; made for each work, and removed after it. */
  readonly ownWorkPath: string;
  readonly run: <Name extends OperationName>(name: Name, args: ArgumentsOf<Name>) => Promise<ResultOf<Name>>;
}

export class CriuWork {
  readonly #options: CriuWorkOptions;

  constructor(options: CriuWorkOptions) {
    this.#options = options;
  }

  async checkpoint(options: CheckpointOptions): Promise<void> {
    await this.#keepingLog('checkpoint', 'dump.log', { ...this.#options.place, ...options, workPath: this.#workPath(options) });
  }

  async restore(restoration: Restoration, stdio: Stdio): Promise<CreatedContainer> {
    const { place, bundle } = this.#options;
    const args = { ...place, ...restoration, bundle, stdio, workPath: this.#workPath(restoration) };
    return await this.#keepingLog('restore', 'restore.log', args);
  }

  #workPath({ workPath }: Pick<Restoration, 'workPath'>): string {
    return workPath ?? this.#options.ownWorkPath;
  }

  /** What CRIU has said goes into the bundle when it has failed, where containerd's users look for it. */
  async #keepingLog<Name extends 'checkpoint' | 'restore'>(name: Name, log: string, args: ArgumentsOf<Name>): Promise<ResultOf<Name>> {
    const { bundle, ownWorkPath, run } = this.#options;
    try {
      return await run(name, args);
    } catch (error) {
      // There is none where CRIU did not get as far.
      await copyFile(`${args.workPath}/${log}`, `${bundle}/criu-${log}`).catch(() => undefined);
      throw error;
    } finally {
      await rm(ownWorkPath, { recursive: true, force: true });
    }
  }
}
