import type { Sys } from '../../sys/sys.ts';
import { resumeCommand } from '../commands/resume.ts';
import { runLight } from '../light.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
runLight(sys, resumeCommand);
