/** The service between tsctl and the shim that holds its containers. */
import { type ServiceDescription, streaming, unary } from '../containerd/service.ts';
import { tsctl } from './gen/tsctl.js';

const v1 = tsctl.supervise.v1;

export const Supervise = {
  name: 'tsctl.supervise.v1.Supervise',
  methods: {
    Start: unary(v1.StartRequest, v1.StartResponse),
    Attach: streaming(v1.AttachRequest, v1.AttachOutput),
    Input: unary(v1.InputRequest, v1.Done),
    Stop: unary(v1.StopRequest, v1.Done),
    Kill: unary(v1.KillRequest, v1.Done),
    Pause: unary(v1.ContainerRequest, v1.Done),
    Unpause: unary(v1.ContainerRequest, v1.Done),
    Wait: unary(v1.ContainerRequest, v1.WaitResponse),
    Remove: unary(v1.RemoveRequest, v1.Done),
    Connect: unary(v1.NetworkRequest, v1.Done),
    Disconnect: unary(v1.NetworkRequest, v1.Done),
  },
} as const satisfies ServiceDescription;

export type AttachRequest = tsctl.supervise.v1.AttachRequest;
export type AttachOutput = tsctl.supervise.v1.AttachOutput.$Properties;
