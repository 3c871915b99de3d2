/** `tsrun` on Node: the same command line, with the Node side of Sys. */
import { createNodeSys } from '../sys/node.ts';
import { main } from './main.ts';

process.exit(main(createNodeSys()));
