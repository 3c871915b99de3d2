/** The Task service, as in task-v3.proto. Apart from the other services: a client of it loads nothing else. */
import { containerd, google } from './gen/task.js';
import { type ServiceDescription, unary } from './service.ts';

const task = containerd.task.v3;
const { Empty } = google.protobuf;

const taskMethods = {
  State: unary(task.StateRequest, task.StateResponse),
  Create: unary(task.CreateTaskRequest, task.CreateTaskResponse),
  Start: unary(task.StartRequest, task.StartResponse),
  Delete: unary(task.DeleteRequest, task.DeleteResponse),
  Pids: unary(task.PidsRequest, task.PidsResponse),
  Pause: unary(task.PauseRequest, Empty),
  Resume: unary(task.ResumeRequest, Empty),
  Checkpoint: unary(task.CheckpointTaskRequest, Empty),
  Kill: unary(task.KillRequest, Empty),
  Exec: unary(task.ExecProcessRequest, Empty),
  ResizePty: unary(task.ResizePtyRequest, Empty),
  CloseIO: unary(task.CloseIORequest, Empty),
  Update: unary(task.UpdateTaskRequest, Empty),
  Wait: unary(task.WaitRequest, task.WaitResponse),
  Stats: unary(task.StatsRequest, task.StatsResponse),
  Connect: unary(task.ConnectRequest, task.ConnectResponse),
  Shutdown: unary(task.ShutdownRequest, Empty),
} as const;

/** api/runtime/task/v3, spoken by containerd 2 to a shim that says version 3. */
export const TaskV3 = { name: 'containerd.task.v3.Task', methods: taskMethods } as const satisfies ServiceDescription;

/** api/runtime/task/v2: the same messages under another name, spoken by containerd 1.x and to a shim that says version 2. */
export const TaskV2 = { name: 'containerd.task.v2.Task', methods: taskMethods } as const satisfies ServiceDescription;
