/** The shim under containerd's CRI plugin, as the kubelet calls it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtCommand, command, describeWith, rootUser, unifiedCgroups } from '../../.scripts/jest/requirement.ts';
import { runtime } from '../../specs/cri/gen/cri.js';
import { busyboxRequirement, findContainerds, until } from './containerd.ts';
import { isNewCri, Kubelet } from './kubelet.ts';

const NEEDS = [
  rootUser,
  builtCommand('containerd-shim-tsrun-v2'),
  busyboxRequirement,
  command('nsenter'),
  command('unshare'),
  command('tar'),
];
const { ContainerState, PodSandboxState } = runtime.v1;
jest.setTimeout(120_000);

for (const binaries of findContainerds()) {
  const isNew = isNewCri(binaries);
  // containerd 2.0 to 2.2 fall over a sandbox of any shim: a nil pointer in NewBundle.
  const sandboxers = isNew && Number(binaries.name.slice(2)) >= 3 ? (['podsandbox', 'shim'] as const) : (['podsandbox'] as const);
  for (const sandboxer of sandboxers) {
    // containerd 2 gives pods a share of the processor whatever its configuration says.
    const requirements = [...NEEDS, binaries.requirement, ...(isNew ? [unifiedCgroups] : [])];
    describeWith(requirements, `CRI of containerd ${binaries.name}, sandboxer ${sandboxer}`, () => {
      let kubelet: Kubelet;
      let pod: string;

      beforeAll(async () => {
        kubelet = new Kubelet(binaries, { sandboxer, cgroups: isNew });
        await kubelet.start();
      });

      afterAll(() => kubelet.dispose());

      it('runs a pod', async () => {
        const { client } = kubelet;
        const { podSandboxId } = await client.RunPodSandbox({ config: kubelet.podConfig('pod'), runtimeHandler: 'tsrun' });
        pod = podSandboxId;
        const answer = await client.PodSandboxStatus({ podSandboxId });
        expect(answer.status).toMatchObject({ state: PodSandboxState.SANDBOX_READY, runtimeHandler: 'tsrun' });
      });

      it('runs containers in it, with logs, exec, stats and an end', async () => {
        const { client, logs } = kubelet;
        const id = await kubelet.run(pod, 'talker', ['/bin/sh', '-c', 'echo to the log; exec sleep 100000']);
        expect(await kubelet.status(id)).toMatchObject({ state: ContainerState.CONTAINER_RUNNING });
        const answer = await client.ExecSync({ containerId: id, cmd: ['/bin/sh', '-c', 'echo out; echo err >&2; exit 3'], timeout: 10 });
        expect(Buffer.from(answer.stdout).toString()).toBe('out\n');
        expect(Buffer.from(answer.stderr).toString()).toBe('err\n');
        expect(answer.exitCode).toBe(3);
        await expect(client.ExecSync({ containerId: id, cmd: ['/bin/sleep', '100'], timeout: 1 })).rejects.toThrow(/timeout/);
        await until(() => readFileSync(join(logs, 'talker.log'), 'utf8').includes('to the log'));
        expect(readFileSync(join(logs, 'talker.log'), 'utf8')).toMatch(/ stdout F to the log\n/);
        const { stats } = await client.ContainerStats({ containerId: id });
        expect(Number(stats?.cpu?.usageCoreNanoSeconds?.value ?? 0)).toBeGreaterThan(0);
        await client.StopContainer({ containerId: id, timeout: 0 });
        expect(await kubelet.status(id)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
        await client.RemoveContainer({ containerId: id });
      });

      it('attaches to a container', async () => {
        const id = await kubelet.run(pod, 'echoing', ['/bin/cat'], { stdin: true });
        const { url } = await kubelet.client.Attach({ containerId: id, stdin: true, stdout: true });
        const attached = kubelet.containerd.run([process.execPath, join(__dirname, 'attach-client.mjs'), url, 'typed\n']);
        expect(attached).toMatchObject({ status: 0, stdout: 'typed\n' });
        await kubelet.client.StopContainer({ containerId: id, timeout: 0 });
        await kubelet.client.RemoveContainer({ containerId: id });
      });

      it('tells how a container ended by itself, and that one cannot start', async () => {
        const id = await kubelet.run(pod, 'failing', ['/bin/sh', '-c', 'exit 9']);
        expect(await kubelet.ended(id)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 9, reason: 'Error' });
        await kubelet.client.RemoveContainer({ containerId: id });
        await expect(kubelet.run(pod, 'missing', ['/bin/nonexistent'])).rejects.toThrow(/\/bin\/nonexistent/);
      });

      it('ends the pod, and leaves nothing', async () => {
        await kubelet.client.StopPodSandbox({ podSandboxId: pod });
        await kubelet.client.RemovePodSandbox({ podSandboxId: pod });
        expect(await kubelet.containerd.leftovers()).toEqual([]);
      });
    });
  }
}
