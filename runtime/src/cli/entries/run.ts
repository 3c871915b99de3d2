import type { Sys } from '../../sys/sys.ts';
import { runCommand } from '../commands/run.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, runCommand);
