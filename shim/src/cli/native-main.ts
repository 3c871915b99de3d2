/** `containerd-shim-tsrun-v2` on QuickJS-ng: the host calls `main` with its side of Sys and ends the process with what it returns. */
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { ENGINE } from './engine.ts';
import { launch } from './launch.ts';

Object.assign(globalThis, { main: (sys: Sys) => launch(sys, ENGINE) });
