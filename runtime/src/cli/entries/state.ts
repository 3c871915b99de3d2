import type { Sys } from '../../sys/sys.ts';
import { stateCommand } from '../commands/state.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, stateCommand);
