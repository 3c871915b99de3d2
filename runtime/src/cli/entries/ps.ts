import type { Sys } from '../../sys/sys.ts';
import { psCommand } from '../commands/ps.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, psCommand);
