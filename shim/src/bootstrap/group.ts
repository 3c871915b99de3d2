/**
 * Which containers share a warm process. All of a namespace do; where the environment says `TSRUN_SHIM_GROUP=pod`, those of a pod: a process that fails
 * then takes no other pod's containers out of sight.
 */
import { readFileIfExists } from '../../../runtime/src/linux/files.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { variable } from './environment.ts';

/** The annotations by which containerd's own shim groups, the first that is there. */
const ANNOTATIONS = ['io.containerd.runc.v2.group', 'io.kubernetes.cri.sandbox-id'];
const VARIABLE = 'TSRUN_SHIM_GROUP';

/**
 * The name of a container's group, '' for that of the whole namespace. Throws an Error for a value that is not understood.
 * @param bundle directory of config.json, or '' for the working directory
 */
export function groupOf(sys: Sys, bundle: string): string {
  const value = variable(sys, VARIABLE);
  if (value === undefined || value === 'namespace') return '';
  if (value !== 'pod') throw new Error(`${VARIABLE} is ${JSON.stringify(value)}: it must be namespace or pod`);
  const path = bundle === '' ? 'config.json' : `${bundle}/config.json`;
  const annotations = annotationsOf(readFileIfExists(sys, path) ?? '{}', path);
  return ANNOTATIONS.map((name) => annotations[name]).find((name) => typeof name === 'string' && name !== '') ?? '';
}

function annotationsOf(text: string, path: string): Readonly<Record<string, string>> {
  try {
    const config: { readonly annotations?: Readonly<Record<string, string>> } | null = JSON.parse(text);
    return config?.annotations ?? {};
  } catch (error) {
    throw new Error(`${path} cannot be read for its annotations: ${error instanceof Error ? error.message : error}`);
  }
}
