/** The Supervise service: requests to the supervisor, its errors to statuses. */

import { Supervise } from '../../../specs/tsctl/service.ts';
import { type Call, implement, type Service } from '../base/service.ts';
import { toStatus } from '../container/error-status.ts';
import type { Supervisor } from './supervisor.ts';

export function superviseService(supervisor: Supervisor): Service {
  const done = async (action: Promise<unknown>) => {
    await answered(action);
    return {};
  };
  return implement(Supervise, {
    Start: async ({ id }) => ({ pid: await answered(supervisor.start(id)) }),
    Attach: (request, call: Call) => streamed(supervisor.attach(request, call.signal)),
    Input: ({ id, data, end }) => done(supervisor.input(id, data, end)),
    Stop: ({ id, signal, timeout, hasTimeout }) => done(supervisor.stop(id, { signal, timeout: hasTimeout ? timeout : undefined })),
    Kill: ({ id, signal }) => done(supervisor.kill(id, signal)),
    Pause: ({ id }) => done(supervisor.pause(id)),
    Unpause: ({ id }) => done(supervisor.unpause(id)),
    Wait: async ({ id }) => ({ code: await answered(supervisor.wait(id)) }),
    Remove: ({ id, force, volumes }) => done(supervisor.remove(id, { force, volumes })),
    Connect: ({ id, network, aliases, ip }) => done(supervisor.connect(id, { network, aliases, ip })),
    Disconnect: ({ id, network }) => done(supervisor.disconnect(id, network)),
  });
}

async function answered<T>(action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw toStatus(error);
  }
}

async function* streamed<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw toStatus(error);
  }
}
