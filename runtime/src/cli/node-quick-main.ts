/**
 * A part of `tsrun` on Node: the commands of a container's life, without what other commands, help and advice are made of. Half as much to load. What is
 * not its to answer it leaves to `node-main.ts`, having done nothing: it ends, and the starter goes on with that (.scripts/build/code-cache.mjs).
 */
import { createNodeSys } from '../sys/node.ts';
import { leaveNode } from './node-exit.ts';
import { answerQuickly } from './quick.ts';

const sys = createNodeSys();
const status = answerQuickly(sys);
if (status !== undefined) leaveNode(sys, status);
