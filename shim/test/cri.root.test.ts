/** The shim under containerd's CRI plugin, as the kubelet calls it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtCommand, command, describeWith, rootUser, unifiedCgroups } from '../../.scripts/jest/requirement.ts';
import { runtime } from '../../specs/cri/gen/cri.js';
import { RuntimeService } from '../../specs/cri/services.ts';
import type { Client } from '../src/base/service.ts';
import { GrpcConnection } from '../src/grpc/client.ts';
import { busyboxRequirement, Containerd, findContainerds, RUNTIME, until } from './containerd.ts';

const NEEDS = [
  rootUser,
  builtCommand('containerd-shim-tsrun-v2'),
  busyboxRequirement,
  command('nsenter'),
  command('unshare'),
  command('tar'),
];
const { ContainerState, NamespaceMode, PodSandboxState } = runtime.v1;
const IMAGE = 'docker.io/library/box:1';
const HOST_NETWORK = { namespaceOptions: { network: NamespaceMode.NODE } };

/** The section of the plugin, whose name and form differ between containerd 1 and 2. Without cgroups: on a hybrid machine they have no controllers. */
const cri = (isNew: boolean, sandboxer: string) => {
  const plugin = isNew ? 'io.containerd.cri.v1.runtime' : 'io.containerd.grpc.v1.cri';
  const sandboxImage = isNew ? `[plugins."io.containerd.cri.v1.images".pinned_images]\n  sandbox = "${IMAGE}"\n` : '';
  return `${sandboxImage}[plugins."${plugin}"]
  ${isNew ? '' : `sandbox_image = "${IMAGE}"`}
  disable_apparmor = true
  disable_cgroup = true
  restrict_oom_score_adj = true
[plugins."${plugin}".containerd]
  default_runtime_name = "tsrun"
[plugins."${plugin}".containerd.runtimes.tsrun]
  runtime_type = "${RUNTIME}"
  ${isNew ? `sandboxer = "${sandboxer}"` : ''}
`;
};

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

for (const binaries of findContainerds()) {
  const isNew = binaries.name.startsWith('2');
  // containerd 2.0 to 2.2 fall over a sandbox of any shim: a nil pointer in NewBundle.
  const sandboxers = isNew && Number(binaries.name.slice(2)) >= 3 ? ['podsandbox', 'shim'] : ['podsandbox'];
  for (const sandboxer of sandboxers) {
    // containerd 2 gives pods a share of the processor whatever its configuration says.
    const requirements = [...NEEDS, binaries.requirement, ...(isNew ? [unifiedCgroups] : [])];
    describeWith(requirements, `CRI of containerd ${binaries.name}, sandboxer ${sandboxer}`, () => {
      let containerd: Containerd;
      let connection: GrpcConnection;
      let kubelet: Client<typeof RuntimeService>;
      let pod: string;
      let logs: string;

      const podConfig = (name: string) => ({
        metadata: { name, uid: `uid-${name}`, namespace: 'default' },
        logDirectory: logs,
        linux: { cgroupParent: '/shim-cri', securityContext: HOST_NETWORK },
      });

      /** Creates and starts a container; returns its id. */
      const run = async (name: string, ...words: string[]) => {
        const { containerId } = await kubelet.CreateContainer({
          podSandboxId: pod,
          config: {
            ...{ metadata: { name }, image: { image: IMAGE }, command: words, logPath: `${name}.log` },
            linux: { securityContext: HOST_NETWORK },
          },
          sandboxConfig: podConfig('pod'),
        });
        await kubelet.StartContainer({ containerId });
        return containerId;
      };
      const status = async (containerId: string) => (await kubelet.ContainerStatus({ containerId })).status;

      beforeAll(async () => {
        containerd = new Containerd(binaries, { cri: cri(isNew, sandboxer) });
        logs = join(containerd.directory, 'logs');
        mkdirSync(logs);
        await containerd.start();
        expect(containerd.ctr('-n', 'k8s.io', 'images', 'import', makeImage(containerd))).toMatchObject({ status: 0 });
        connection = new GrpcConnection(containerd.address);
        kubelet = connection.client(RuntimeService);
      }, 60_000);

      afterAll(async () => {
        connection.close();
        await containerd.dispose();
      });

      it('runs a pod', async () => {
        const { podSandboxId } = await kubelet.RunPodSandbox({ config: podConfig('pod'), runtimeHandler: 'tsrun' });
        pod = podSandboxId;
        const answer = await kubelet.PodSandboxStatus({ podSandboxId });
        expect(answer.status).toMatchObject({ state: PodSandboxState.SANDBOX_READY, runtimeHandler: 'tsrun' });
      });

      it('runs containers in it, with logs, exec, stats and an end', async () => {
        const id = await run('talker', '/bin/sh', '-c', 'echo to the log; exec sleep 100000');
        expect(await status(id)).toMatchObject({ state: ContainerState.CONTAINER_RUNNING });
        const answer = await kubelet.ExecSync({ containerId: id, cmd: ['/bin/sh', '-c', 'echo out; echo err >&2; exit 3'], timeout: 10 });
        expect(Buffer.from(answer.stdout).toString()).toBe('out\n');
        expect(Buffer.from(answer.stderr).toString()).toBe('err\n');
        expect(answer.exitCode).toBe(3);
        await expect(kubelet.ExecSync({ containerId: id, cmd: ['/bin/sleep', '100'], timeout: 1 })).rejects.toThrow(/timeout/);
        await until(() => readFileSync(join(logs, 'talker.log'), 'utf8').includes('to the log'));
        expect(readFileSync(join(logs, 'talker.log'), 'utf8')).toMatch(/ stdout F to the log\n/);
        const { stats } = await kubelet.ContainerStats({ containerId: id });
        expect(Number(stats?.cpu?.usageCoreNanoSeconds?.value ?? 0)).toBeGreaterThan(0);
        await kubelet.StopContainer({ containerId: id, timeout: 0 });
        expect(await status(id)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
        await kubelet.RemoveContainer({ containerId: id });
      });

      it('tells how a container ended by itself, and that one cannot start', async () => {
        const id = await run('failing', '/bin/sh', '-c', 'exit 9');
        for (let turn = 0; turn < 100 && (await status(id))?.state !== ContainerState.CONTAINER_EXITED; turn++) {
          await new Promise((done) => setTimeout(done, 50));
        }
        expect(await status(id)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 9, reason: 'Error' });
        await kubelet.RemoveContainer({ containerId: id });
        await expect(run('missing', '/bin/nonexistent')).rejects.toThrow(/\/bin\/nonexistent/);
      });

      it('ends the pod, and leaves nothing', async () => {
        await kubelet.StopPodSandbox({ podSandboxId: pod });
        await kubelet.RemovePodSandbox({ podSandboxId: pod });
        expect(await containerd.leftovers()).toEqual([]);
      });
    });
  }
}
