/** `tsrun` on Node: the same command line, with the Node side of Sys. */
import { createNodeSys } from '../sys/node.ts';
import { main } from './main.ts';
import { leaveNode } from './node-exit.ts';

const sys = createNodeSys();
leaveNode(sys, main(sys));
