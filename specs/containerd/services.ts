/** The services of containerd and its shims, as in the .proto files beside this. */
import { containerd, google } from './gen/containerd.js';
import { type ServiceDescription, streaming, unary } from './service.ts';

const sandbox = containerd.runtime.sandbox.v1;
const { Empty } = google.protobuf;

/** api/runtime/sandbox/v1 */
export const Sandbox = {
  name: 'containerd.runtime.sandbox.v1.Sandbox',
  methods: {
    CreateSandbox: unary(sandbox.CreateSandboxRequest, sandbox.CreateSandboxResponse),
    StartSandbox: unary(sandbox.StartSandboxRequest, sandbox.StartSandboxResponse),
    Platform: unary(sandbox.PlatformRequest, sandbox.PlatformResponse),
    StopSandbox: unary(sandbox.StopSandboxRequest, sandbox.StopSandboxResponse),
    WaitSandbox: unary(sandbox.WaitSandboxRequest, sandbox.WaitSandboxResponse),
    SandboxStatus: unary(sandbox.SandboxStatusRequest, sandbox.SandboxStatusResponse),
    PingSandbox: unary(sandbox.PingRequest, sandbox.PingResponse),
    ShutdownSandbox: unary(sandbox.ShutdownSandboxRequest, sandbox.ShutdownSandboxResponse),
    SandboxMetrics: unary(sandbox.SandboxMetricsRequest, sandbox.SandboxMetricsResponse),
  },
} as const satisfies ServiceDescription;

/** api/services/ttrpc/events/v1: containerd's ear for the events of shims, on its ttrpc socket. */
export const EventsForwarding = {
  name: 'containerd.services.events.ttrpc.v1.Events',
  methods: { Forward: unary(containerd.services.events.ttrpc.v1.ForwardRequest, Empty) },
} as const satisfies ServiceDescription;

/** api/services/events/v1: how a client hears of events, on containerd's gRPC socket. */
export const Events = {
  name: 'containerd.services.events.v1.Events',
  methods: { Subscribe: streaming(containerd.services.events.v1.SubscribeRequest, containerd.types.Envelope) },
} as const satisfies ServiceDescription;

const containers = containerd.services.containers.v1;
const tasks = containerd.services.tasks.v1;

/** api/services/containers/v1: what of it is used here. */
export const Containers = {
  name: 'containerd.services.containers.v1.Containers',
  methods: {
    Create: unary(containers.CreateContainerRequest, containers.CreateContainerResponse),
    Delete: unary(containers.DeleteContainerRequest, Empty),
  },
} as const satisfies ServiceDescription;

/** api/services/tasks/v1: what of it is used here. */
export const Tasks = {
  name: 'containerd.services.tasks.v1.Tasks',
  methods: {
    Create: unary(tasks.CreateTaskRequest, tasks.CreateTaskResponse),
    Start: unary(tasks.StartRequest, tasks.StartResponse),
    Delete: unary(tasks.DeleteTaskRequest, tasks.DeleteResponse),
    DeleteProcess: unary(tasks.DeleteProcessRequest, tasks.DeleteResponse),
    Kill: unary(tasks.KillRequest, Empty),
    Exec: unary(tasks.ExecProcessRequest, Empty),
    Wait: unary(tasks.WaitRequest, tasks.WaitResponse),
  },
} as const satisfies ServiceDescription;
