/** What the runtime implements, for containerd, which asks before it lets a container use some of it. */
import { features } from '../../../runtime/src/operations/features.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { COMMIT, VERSION } from '../base/version.ts';

/** JSON of the runtime specification's features structure. */
export function featuresJson(sys: Sys): string {
  return JSON.stringify(features(sys, VERSION, COMMIT));
}
