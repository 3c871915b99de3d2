import type { Sys } from '../../sys/sys.ts';
import { exit } from '../light.ts';
import { main } from '../main.ts';

const { sys } = globalThis as unknown as { readonly sys: Sys };
exit(sys, main(sys));
