import { mkdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, rootUser } from '../../../.scripts/jest/requirement.ts';
import { args, staticBusybox } from '../../../runtime/test/bundle.ts';
import { containerd } from '../../../specs/containerd/gen/containerd.js';
import { StatusCode } from '../base/status.ts';
import { bytesField, concat } from '../base/wire.ts';
import { SandboxService } from './sandbox-service.ts';
import { Ground } from './test/ground.ts';
import { PipeReader } from './test/reader.ts';

const { CreateSandboxRequest, StartSandboxRequest, StopSandboxRequest, SandboxStatusRequest } = containerd.runtime.sandbox.v1;
const CALL = { metadata: new Map<string, string>(), signal: new AbortController().signal };

describeWith([rootUser, staticBusybox], 'a pod', () => {
  let ground: Ground;
  let service: SandboxService;

  beforeEach(() => {
    ground = new Ground();
    service = new SandboxService(ground.environment());
  });
  afterEach(async () => {
    const { StopSandbox, ShutdownSandbox } = service.handlers();
    await StopSandbox(stop('pod-a'), CALL).catch(() => undefined);
    await ShutdownSandbox(stop('pod-a'), CALL).catch(() => undefined);
    await service.close();
    await ground.dispose();
  });

  const text = (value: string) => new TextEncoder().encode(value);
  const stop = (sandboxId: string) => StopSandboxRequest.create({ sandboxId, timeoutSecs: 5 }) as InstanceType<typeof StopSandboxRequest>;
  const create = async (sandboxId: string, options: Uint8Array = new Uint8Array()) => {
    const bundlePath = join(ground.directory, sandboxId);
    mkdirSync(bundlePath);
    const any = { type_url: 'runtime.v1.PodSandboxConfig', value: options };
    const request = CreateSandboxRequest.create({ sandboxId, bundlePath, options: any, rootfs: [], annotations: {} });
    await service.handlers().CreateSandbox(request as InstanceType<typeof CreateSandboxRequest>, CALL);
    return service.handlers().StartSandbox(StartSandboxRequest.create({ sandboxId }) as InstanceType<typeof StartSandboxRequest>, CALL);
  };
  const status = (sandboxId: string) =>
    service.handlers().SandboxStatus(SandboxStatusRequest.create({ sandboxId }) as InstanceType<typeof SandboxStatusRequest>, CALL);

  it('has namespaces that containers join, and no process of its own but the agent', async () => {
    const sysctl = concat([bytesField(1, text('net.ipv4.ip_forward')), bytesField(2, text('1'))]);
    const { pid = 0 } = await create('pod-a', concat([bytesField(3, text('podname')), bytesField(8, bytesField(3, sysctl))]));
    expect(await status('pod-a')).toMatchObject({ pid, state: 'SANDBOX_READY' });
    expect(readlinkSync(`/proc/${pid}/ns/net`)).not.toBe(readlinkSync('/proc/self/ns/net'));
    const stdout = ground.pipe('out');
    const reader = new PipeReader(stdout);
    const bundle = ground.bundle(args('sh', '-c', 'cat /proc/sys/kernel/hostname /proc/sys/net/ipv4/ip_forward'), (config) => {
      delete config.hostname;
      if (config.linux === undefined) return;
      const path = (file: string) => `/proc/${pid}/ns/${file}`;
      config.linux.namespaces = [
        { type: 'mount' },
        { type: 'pid' },
        { type: 'network', path: path('net') },
        { type: 'uts', path: path('uts') },
        { type: 'ipc', path: path('ipc') },
      ];
    });
    const { client } = ground;
    await client.Create({ id: 'task-in-pod', bundle, stdout });
    await client.Start({ id: 'task-in-pod' });
    expect(await client.Wait({ id: 'task-in-pod' })).toMatchObject({ exitStatus: 0 });
    await client.Delete({ id: 'task-in-pod' });
    expect(await reader.ended).toBe('podname\n1\n');
  });

  it('is adopted by the next service, stopped and shut down', async () => {
    const { pid } = await create('pod-a');
    await service.close();
    service = new SandboxService(ground.environment());
    await service.adopt();
    expect(await status('pod-a')).toMatchObject({ pid, state: 'SANDBOX_READY' });
    const { StopSandbox, WaitSandbox, ShutdownSandbox, PingSandbox, Platform } = service.handlers();
    const request = stop('pod-a');
    await PingSandbox(request, CALL);
    expect((await Platform(request, CALL)).platform).toMatchObject({ os: 'linux' });
    const waiting = WaitSandbox(request, CALL);
    await StopSandbox(request, CALL);
    expect(await waiting).toMatchObject({ exitStatus: 137 });
    expect(await status('pod-a')).toMatchObject({ state: 'SANDBOX_NOTREADY' });
    await ShutdownSandbox(request, CALL);
    await expect(status('pod-a')).rejects.toMatchObject({ code: StatusCode.notFound });
    expect(service.isEmpty).toBe(true);
    expect(ground.history()).toEqual([]);
  });

  it('is refused when it is there, or its configuration is no message', async () => {
    await create('pod-a');
    const request = CreateSandboxRequest.create({ sandboxId: 'pod-a', bundlePath: '/x', rootfs: [] });
    await expect(service.handlers().CreateSandbox(request as InstanceType<typeof CreateSandboxRequest>, CALL)).rejects.toMatchObject({
      code: StatusCode.alreadyExists,
    });
    await expect(create('pod-b', Uint8Array.of(255))).rejects.toMatchObject({ code: StatusCode.invalidArgument });
  });
});
