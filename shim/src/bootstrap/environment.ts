/** Environments: what the command was given, and the little that the long-running process gets of it. */
import type { Sys } from '../../../runtime/src/sys/sys.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** NODE_OPTIONS and its like would let containerd's caller run code in the shim. */
const KEPT = ['PATH', 'XDG_RUNTIME_DIR', 'TMPDIR', 'TSRUN_SHIM_HOME', 'TSRUN_SHIM_IDLE_SECONDS', 'SCHED_CORE'];

/** glibc gives each thread a heap of its own otherwise: 2 MB for nothing. */
const FEW_ARENAS = 'MALLOC_ARENA_MAX=2';

export function variable(sys: Sys, name: string): string | undefined {
  const value = sys.environ.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  return value === '' ? undefined : value;
}

export function environmentOf(sys: Sys, { ttrpcAddress }: { readonly ttrpcAddress: string }): string[] {
  const kept = sys.environ.filter((entry) => KEPT.includes(entry.slice(0, entry.indexOf('='))));
  const path = kept.some((entry) => entry.startsWith('PATH=')) ? [] : [`PATH=${DEFAULT_PATH}`];
  return [...kept, ...path, FEW_ARENAS, `TTRPC_ADDRESS=${ttrpcAddress}`];
}
