/** The warm process's own service, for the command that containerd starts: "are you there, and will you stay until I have sent my container?" */
import { containerd } from '../../../specs/containerd/gen/task.js';
import { type ServiceDescription, unary } from '../../../specs/containerd/service.ts';
import { CONTROL_SERVICE, HOLD_METHOD } from './control-names.ts';

/** A request holds the id of the container to come; the answer, the process's pid and version. Metadata may hold containerd's ttrpc address of now. */
export const Control = {
  name: CONTROL_SERVICE,
  methods: { [HOLD_METHOD]: unary(containerd.task.v3.ConnectRequest, containerd.task.v3.ConnectResponse) },
} as const satisfies ServiceDescription;
