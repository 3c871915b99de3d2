/** The thread of a ThreadOperator: the main module of a bundle of its own. */
import { parentPort } from 'node:worker_threads';
import { createNodeSys } from '../../../../runtime/src/sys/node.ts';
import { errorMessage, type Reply, type Request } from './messages.ts';
import { makeHost, perform } from './perform.ts';

if (parentPort === null) throw new Error('this is the main module of a worker thread');
const port = parentPort;
const reply = (message: Reply): void => port.postMessage(message);
const host = makeHost(createNodeSys(), (message) => reply({ kind: 'warning', message }));

port.on('message', ({ serial, name, args }: Request) => {
  try {
    reply({ kind: 'result', serial, result: perform(host, name, args) });
  } catch (error) {
    reply({ kind: 'error', serial, error: errorMessage(error) });
  }
});
