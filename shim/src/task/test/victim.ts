/**
 * A process with a task service of its own, to be killed: the main module of a bundle.
 * Arguments: state directory, runtime root, and requests as JSON, which are carried out in order. Then it says `ready` and waits.
 */
import { lazyAgentImage } from '../../../../runtime/src/operations/context/context.ts';
import { createNodeSys } from '../../../../runtime/src/sys/node.ts';
import { containerd } from '../../../../specs/containerd/gen/task.js';
import { AgentPoller } from '../agent-poller.ts';
import { InlineOperator } from '../operations/inline-operator.ts';
import { TaskService } from '../service.ts';

const { CreateTaskRequest, StartRequest, ExecProcessRequest } = containerd.task.v3;
const [stateDirectory = '', runtimeRoot = '', requests = '[]'] = process.argv.slice(2);
const sys = createNodeSys();
const warn = (message: string): boolean => process.stderr.write(`${message}\n`);
const service = new TaskService(
  {
    ...{ sys, namespace: 'test', stateDirectory, runtimeRoot, warn },
    poller: new AgentPoller(sys, lazyAgentImage(sys)),
    operator: new InlineOperator(sys, warn),
    publisher: { publish: () => undefined },
  },
  { version: 'test', shutdown: () => undefined },
);

async function carryOut(): Promise<void> {
  const call = { metadata: new Map<string, string>(), signal: new AbortController().signal };
  const { Create, Start, Exec } = service.handlers();
  const list: { readonly method: string; readonly request: object; readonly spec?: string }[] = JSON.parse(requests);
  for (const { method, request, spec = '' } of list) {
    if (method === 'Create') await Create(CreateTaskRequest.create(request), call);
    else if (method === 'Start') await Start(StartRequest.create(request), call);
    else await Exec(ExecProcessRequest.create({ ...request, spec: { value: new TextEncoder().encode(spec) } }), call);
  }
  process.stdout.write('ready\n');
}

carryOut().catch((error: unknown) => {
  warn(String(error));
  process.exit(1);
});
