/** The kubelet's interface to container engines (runtime.v1 of kubernetes/cri-api), as far as tests use it. */
import { type ServiceDescription, unary } from '../containerd/service.ts';
import { runtime } from './gen/cri.js';

const v1 = runtime.v1;

export const RuntimeService = {
  name: 'runtime.v1.RuntimeService',
  methods: {
    RunPodSandbox: unary(v1.RunPodSandboxRequest, v1.RunPodSandboxResponse),
    StopPodSandbox: unary(v1.StopPodSandboxRequest, v1.StopPodSandboxResponse),
    RemovePodSandbox: unary(v1.RemovePodSandboxRequest, v1.RemovePodSandboxResponse),
    PodSandboxStatus: unary(v1.PodSandboxStatusRequest, v1.PodSandboxStatusResponse),
    CreateContainer: unary(v1.CreateContainerRequest, v1.CreateContainerResponse),
    StartContainer: unary(v1.StartContainerRequest, v1.StartContainerResponse),
    StopContainer: unary(v1.StopContainerRequest, v1.StopContainerResponse),
    RemoveContainer: unary(v1.RemoveContainerRequest, v1.RemoveContainerResponse),
    ContainerStatus: unary(v1.ContainerStatusRequest, v1.ContainerStatusResponse),
    ExecSync: unary(v1.ExecSyncRequest, v1.ExecSyncResponse),
    Attach: unary(v1.AttachRequest, v1.AttachResponse),
    UpdateContainerResources: unary(v1.UpdateContainerResourcesRequest, v1.UpdateContainerResourcesResponse),
    ContainerStats: unary(v1.ContainerStatsRequest, v1.ContainerStatsResponse),
  },
} as const satisfies ServiceDescription;
