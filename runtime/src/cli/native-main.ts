/** `tsrun` on QuickJS-ng: the host calls `main` with its side of Sys and ends the process with what it returns. See runtime/native. */
import { main } from './main.ts';

Object.assign(globalThis, { main });
