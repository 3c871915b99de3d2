/** containerd with its CRI plugin, and a kubelet's client of it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtime } from '../../specs/cri/gen/cri.js';
import { RuntimeService } from '../../specs/cri/services.ts';
import type { Client } from '../src/base/service.ts';
import { GrpcConnection } from '../src/grpc/client.ts';
import { type Binaries, Containerd, RUNTIME } from './containerd.ts';

const IMAGE = 'docker.io/library/box:1';
export const HOST_NETWORK = { namespaceOptions: { network: runtime.v1.NamespaceMode.NODE } };

export interface CriOptions {
  readonly sandboxer: 'podsandbox' | 'shim';
  /** Without: on a hybrid machine they have no controllers. */
  readonly cgroups: boolean;
}

type ContainerConfig = NonNullable<runtime.v1.CreateContainerRequest.$Properties['config']>;

export class Kubelet {
  readonly containerd: Containerd;
  readonly #connection: GrpcConnection;
  readonly client: Client<typeof RuntimeService>;
  /** Where containers' logs are. */
  readonly logs: string;

  constructor(binaries: Binaries, options: CriOptions) {
    this.containerd = new Containerd(binaries, { cri: pluginSection(isNewCri(binaries), options) });
    this.logs = join(this.containerd.directory, 'logs');
    mkdirSync(this.logs);
    this.#connection = new GrpcConnection(this.containerd.address);
    this.client = this.#connection.client(RuntimeService);
  }

  async start(): Promise<void> {
    await this.containerd.start();
    const { status, stderr } = this.containerd.ctr('-n', 'k8s.io', 'images', 'import', makeImage(this.containerd));
    if (status !== 0) throw new Error(stderr);
  }

  podConfig(name: string): runtime.v1.PodSandboxConfig.$Properties {
    return {
      metadata: { name, uid: `uid-${name}`, namespace: 'default' },
      logDirectory: this.logs,
      linux: { cgroupParent: '/shim-cri', securityContext: HOST_NETWORK },
    };
  }

  /** Creates and starts a container of the pod named `pod`; returns its id. */
  async run(podSandboxId: string, name: string, command: string[], config: ContainerConfig = {}): Promise<string> {
    const { containerId } = await this.client.CreateContainer({
      podSandboxId,
      config: {
        ...{ metadata: { name }, image: { image: IMAGE }, command, logPath: `${name}.log` },
        ...config,
        linux: { securityContext: HOST_NETWORK, ...config.linux },
      },
      sandboxConfig: this.podConfig('pod'),
    });
    await this.client.StartContainer({ containerId });
    return containerId;
  }

  async status(containerId: string): Promise<runtime.v1.ContainerStatus.$Properties | null | undefined> {
    return (await this.client.ContainerStatus({ containerId })).status;
  }

  /** Its status once it has ended. */
  async ended(containerId: string): Promise<runtime.v1.ContainerStatus.$Properties | null | undefined> {
    for (let turn = 0; turn < 400 && (await this.status(containerId))?.state !== runtime.v1.ContainerState.CONTAINER_EXITED; turn++) {
      await new Promise((done) => setTimeout(done, 50));
    }
    return await this.status(containerId);
  }

  async dispose(): Promise<void> {
    this.#connection.close();
    await this.containerd.dispose();
  }
}

export function isNewCri({ name }: Binaries): boolean {
  return name.startsWith('2');
}

/** The plugin's name and form differ between containerd 1 and 2. */
function pluginSection(isNew: boolean, { sandboxer, cgroups }: CriOptions): string {
  const plugin = isNew ? 'io.containerd.cri.v1.runtime' : 'io.containerd.grpc.v1.cri';
  const sandboxImage = isNew ? `[plugins."io.containerd.cri.v1.images".pinned_images]\n  sandbox = "${IMAGE}"\n` : '';
  return `${sandboxImage}[plugins."${plugin}"]
  ${isNew ? '' : `sandbox_image = "${IMAGE}"`}
  disable_apparmor = true
  disable_cgroup = ${!cgroups}
  restrict_oom_score_adj = true
[plugins."${plugin}".containerd]
  default_runtime_name = "tsrun"
[plugins."${plugin}".containerd.runtimes.tsrun]
  runtime_type = "${RUNTIME}"
  ${isNew ? `sandboxer = "${sandboxer}"` : ''}
`;
}

/** An image of busybox in the form of `docker save`, for `ctr images import`. */
function makeImage(containerd: Containerd): string {
  const folder = join(containerd.directory, 'image');
  mkdirSync(folder);
  cpSync(containerd.rootfs, join(folder, 'rootfs'), { recursive: true, verbatimSymlinks: true });
  const tar = (...words: string[]) => {
    const { status, stderr } = spawnSync('tar', ['-C', folder, ...words], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  tar('-cf', join(folder, 'layer.tar'), '-C', join(folder, 'rootfs'), '.');
  const digest = spawnSync('sha256sum', [join(folder, 'layer.tar')], { encoding: 'utf8' }).stdout.slice(0, 64);
  const config = {
    ...{ architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' },
    config: { Cmd: ['/bin/sleep', '100000'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }]));
  tar('-cf', join(folder, 'image.tar'), 'manifest.json', 'config.json', 'layer.tar');
  return join(folder, 'image.tar');
}
