/** The mounts of a RUN step: from what the Dockerfile says to host paths for the runtime, and back when the step is over. */

import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { call } from '../../../../runtime/src/linux/call.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID } from '../../../../runtime/src/linux/mount-flags.ts';
import { ImageError } from '../../base/errors.ts';
import type { Store } from '../../store/store.ts';
import { holdCache } from '../cache/cache-mounts.ts';
import type { BindMount, CacheMount, SecretMount, SshMount, TmpfsMount } from '../dockerfile/expanded.ts';
import type { FileSource, RunMount, RunStep } from '../plan/step.ts';
import type { ProvidedAgent } from '../ssh/provided-agent.ts';
import { serveAgent } from './agent-socket.ts';
import type { RuntimeMount } from './config.ts';
import type { StepSpace } from './workspace.ts';

/** What a build is given for secrets and agents, by id. */
export interface Provided {
  /** The content of a secret; undefined for an id nobody gave. */
  secret(id: string): Buffer | undefined;
  sshAgent(id: string): ProvidedAgent | undefined;
}

/** What of a source is to be mounted. */
export interface MountWish {
  readonly id: string;
  readonly path: string;
}

export interface MountedPath {
  readonly hostPath: string;
  readonly isFile: boolean;
}

export interface PreparedMounts {
  readonly mounts: readonly RuntimeMount[];
  readonly env: readonly string[];
  /** Targets that are files. */
  readonly files: ReadonlySet<string>;
  release(): void;
}

export interface MountOptions {
  readonly store: Store;
  readonly space: StepSpace;
  readonly provided: Provided;
  /** Mounts files of a source, writable where what is written is lost. The build removes it when the step is over. */
  readonly mountSource: (source: FileSource, wish: MountWish) => Promise<MountedPath>;
  readonly signal: AbortSignal;
}

/** Throws ImageError `secret`, `ssh` for what is required and was not given. */
export async function prepareMounts(step: RunStep, options: MountOptions): Promise<PreparedMounts> {
  const preparation = new Preparation(options);
  try {
    if (step.form.form === 'script') preparation.script(step.form.name, step.form.content);
    for (const mount of step.mounts) await preparation.add(mount);
    return preparation.result();
  } catch (error) {
    preparation.release();
    throw error;
  }
}

class Preparation {
  readonly #options: MountOptions;
  readonly #mounts: RuntimeMount[] = [];
  readonly #env: string[] = [];
  readonly #files = new Set<string>();
  readonly #releases: (() => void)[] = [];
  #serial = 0;
  #hasSecrets = false;

  constructor(options: MountOptions) {
    this.#options = options;
  }

  result(): PreparedMounts {
    return { mounts: this.#mounts, env: this.#env, files: this.#files, release: () => this.release() };
  }

  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }

  script(name: string, content: string): void {
    const directory = join(this.#options.space.directory, 'pipes');
    mkdirSync(directory);
    chmodSync(directory, 0o755);
    const path = join(directory, name);
    writeFileSync(path, content);
    chmodSync(path, 0o755);
    this.#bind('/dev/pipes', directory, 'ro');
  }

  async add({ mount, target = '', source }: RunMount): Promise<void> {
    this.#serial += 1;
    if (mount.type === 'bind') await this.#addBind(mount, target, source);
    else if (mount.type === 'cache') await this.#addCache(mount, target, source);
    else if (mount.type === 'tmpfs') this.#addTmpfs(mount, target);
    else if (mount.type === 'secret') this.#addSecret(mount, target);
    else await this.#addSsh(mount, target);
  }

  async #addBind(mount: BindMount, target: string, source: FileSource = { kind: 'context' }): Promise<void> {
    const { hostPath, isFile } = await this.#mount(source, mount.source);
    if (isFile) this.#files.add(target);
    this.#bind(target, hostPath, mount.readOnly ? 'ro' : 'rw');
  }

  async #addCache(mount: CacheMount, target: string, source: FileSource | undefined): Promise<void> {
    const { store, signal } = this.#options;
    const fill = async (directory: string): Promise<void> => {
      if (source === undefined) return;
      const { hostPath } = await this.#mount(source, mount.source);
      await promisify(execFile)('cp', ['-a', `${hostPath}/.`, directory]);
    };
    const held = await holdCache(store, mount, fill, signal);
    this.#releases.push(() => held.release());
    this.#bind(target, held.directory, mount.readOnly ? 'ro' : 'rw');
  }

  async #mount(source: FileSource, path: string): Promise<MountedPath> {
    const { space, mountSource } = this.#options;
    return await mountSource(source, { id: `${space.id}-m${this.#serial}`, path });
  }

  #addTmpfs({ size }: TmpfsMount, target: string): void {
    const options = ['nosuid', 'nodev', 'mode=1777', ...(size === undefined ? [] : [`size=${size}`])];
    this.#mounts.push({ destination: target, type: 'tmpfs', source: 'tmpfs', options });
  }

  #addSecret(mount: SecretMount, target: string): void {
    const content = this.#options.provided.secret(mount.id);
    if (content === undefined) {
      if (!mount.required) return;
      throw new ImageError('secret', `secret ${JSON.stringify(mount.id)} is required, and was not given`, {
        hint: `Give it with --secret id=${mount.id},src=FILE or --secret id=${mount.id},env=NAME.`,
      });
    }
    if (mount.env !== undefined) this.#env.push(`${mount.env}=${content.toString('utf8')}`);
    if (target === '') return;
    const path = join(this.#secretsDirectory(), String(this.#serial));
    writeFileSync(path, content, { mode: 0o600 });
    chownSync(path, mount.uid ?? 0, mount.gid ?? 0);
    chmodSync(path, mount.mode ?? 0o400);
    this.#files.add(target);
    this.#bind(target, path, 'ro');
  }

  /** In memory: secrets do not touch the disk. */
  #secretsDirectory(): string {
    const directory = join(this.#options.space.directory, 'secrets');
    if (this.#hasSecrets) return directory;
    mkdirSync(directory, { mode: 0o700 });
    const flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    call(this.#options.store.sys, 'mount', directory, 'secrets', directory, 'tmpfs', flags, 'mode=0700,size=16m');
    this.#hasSecrets = true;
    return directory;
  }

  async #addSsh(mount: SshMount, target: string): Promise<void> {
    const agent = this.#options.provided.sshAgent(mount.id);
    if (agent === undefined) {
      if (!mount.required) return;
      throw new ImageError('ssh', `the SSH agent ${JSON.stringify(mount.id)} is required, and was not given`, {
        hint: `Give it with --ssh ${mount.id}${mount.id === 'default' ? '' : '=SOCKET'}, or the key with --ssh ${mount.id}=FILE.`,
      });
    }
    const place = target === '' ? `/run/buildkit/ssh_agent.${this.#serial - 1}` : target;
    this.#files.add(place);
    this.#bind(place, await this.#agentSocket(mount, agent), 'ro');
    this.#env.push(`SSH_AUTH_SOCK=${place}`);
  }

  /** The agent's own, unless somebody else than root is to have it. */
  async #agentSocket({ uid, gid, mode }: SshMount, agent: ProvidedAgent): Promise<string> {
    if ('socket' in agent && uid === undefined && gid === undefined && mode === undefined) return agent.socket;
    const path = join(this.#options.space.directory, `agent-${this.#serial}`);
    this.#releases.push(await serveAgent({ agent, path, uid: uid ?? 0, gid: gid ?? 0, mode: mode ?? 0o600 }));
    return path;
  }

  #bind(destination: string, source: string, access: 'ro' | 'rw'): void {
    this.#mounts.push({ destination, type: 'bind', source, options: ['rbind', access, 'nosuid', 'nodev'] });
  }
}
