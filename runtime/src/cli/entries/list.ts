import type { Sys } from '../../sys/sys.ts';
import { listCommand } from '../commands/list.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, listCommand);
