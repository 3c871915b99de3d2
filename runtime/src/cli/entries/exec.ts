import type { Sys } from '../../sys/sys.ts';
import { execCommand } from '../commands/exec.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, execCommand);
