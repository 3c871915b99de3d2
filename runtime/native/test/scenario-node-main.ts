/** The scenario as a bundle for Node, outside of jest's realm: run by `npm run test:node24`. */
import { createNodeSys } from '../../src/sys/node.ts';
import { scenario } from './scenario.ts';

const lines = scenario(createNodeSys()).split('\n');
process.stdout.write(`${lines.length} lines; the last: ${lines.at(-1)}\n`);
