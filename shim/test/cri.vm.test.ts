/** What a kubelet asks of the shim with a cgroup hierarchy that has its controllers: limits, their update, the reason of an end. */
import { builtCommand, describeWith, rootUser, unifiedCgroups } from '../../.scripts/jest/requirement.ts';
import { busyboxRequirement, findContainerds } from './containerd.ts';
import { Kubelet } from './kubelet.ts';

const MEBIBYTE = 1 << 20;
jest.setTimeout(300_000);

const binaries = findContainerds().find(({ name, requirement }) => requirement.met && name === '1.7');
const needed = { what: 'containerd 1.7 (trixie)', met: binaries !== undefined };

describeWith([rootUser, unifiedCgroups, busyboxRequirement, builtCommand('containerd-shim-tsrun-v2'), needed], 'limits through CRI', () => {
  let kubelet: Kubelet;
  let pod: string;

  beforeAll(async () => {
    if (binaries === undefined) throw new Error('unreachable');
    kubelet = new Kubelet(binaries, { sandboxer: 'podsandbox', cgroups: true });
    await kubelet.start();
    pod = (await kubelet.client.RunPodSandbox({ config: kubelet.podConfig('pod'), runtimeHandler: 'tsrun' })).podSandboxId;
  });
  afterAll(() => kubelet.dispose());

  it('are set, updated, and seen in the statistics', async () => {
    const { client } = kubelet;
    const resources = { memoryLimitInBytes: 64 * MEBIBYTE, cpuQuota: 50_000, cpuPeriod: 100_000 };
    const id = await kubelet.run(pod, 'limited', ['/bin/sleep', '100000'], { linux: { resources } });
    const limits = async () => {
      const cmd = ['/bin/sh', '-c', 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max'];
      return Buffer.from((await client.ExecSync({ containerId: id, cmd, timeout: 60 })).stdout).toString();
    };
    expect(await limits()).toBe(`${64 * MEBIBYTE}\n50000 100000\n`);
    await client.UpdateContainerResources({
      containerId: id,
      linux: { memoryLimitInBytes: 32 * MEBIBYTE, cpuQuota: 25_000, cpuPeriod: 100_000 },
    });
    expect(await limits()).toBe(`${32 * MEBIBYTE}\n25000 100000\n`);
    const { stats } = await client.ContainerStats({ containerId: id });
    expect(Number(stats?.memory?.workingSetBytes?.value ?? 0)).toBeGreaterThan(0);
    await client.StopContainer({ containerId: id, timeout: 0 });
    await client.RemoveContainer({ containerId: id });
  });

  it('end who goes beyond them, and the reason is told', async () => {
    const resources = { memoryLimitInBytes: 16 * MEBIBYTE, memorySwapLimitInBytes: 16 * MEBIBYTE };
    const id = await kubelet.run(pod, 'greedy', ['/bin/tail', '/dev/zero'], { linux: { resources } });
    expect(await kubelet.ended(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    await kubelet.client.RemoveContainer({ containerId: id });
  });

  it('leave nothing', async () => {
    await kubelet.client.StopPodSandbox({ podSandboxId: pod });
    await kubelet.client.RemovePodSandbox({ podSandboxId: pod });
    expect(await kubelet.containerd.leftovers()).toEqual([]);
  });
});
