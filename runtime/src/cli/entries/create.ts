import type { Sys } from '../../sys/sys.ts';
import { createCommand } from '../commands/create.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, createCommand);
