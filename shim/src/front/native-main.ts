/** `tsctl` on QuickJS-ng: the host calls `main` with its side of Sys and ends the process with what it returns. */
import { answerOrBecomeNode } from '../../../runtime/src/linux/native-front.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { quickAnswer } from './quick.ts';

Object.assign(globalThis, { main: (sys: Sys) => answerOrBecomeNode(sys, 'tsctl.cjs', quickAnswer) });
