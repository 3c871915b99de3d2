import type { Sys } from '../../sys/sys.ts';
import { deleteCommand } from '../commands/delete.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, deleteCommand);
