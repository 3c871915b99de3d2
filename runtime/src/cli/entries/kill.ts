import type { Sys } from '../../sys/sys.ts';
import { killCommand } from '../commands/kill.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, killCommand);
