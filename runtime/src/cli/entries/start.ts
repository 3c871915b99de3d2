import type { Sys } from '../../sys/sys.ts';
import { startCommand } from '../commands/start.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, startCommand);
