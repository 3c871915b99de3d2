import type { Sys } from '../../sys/sys.ts';
import { pauseCommand } from '../commands/pause.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, pauseCommand);
