/** The limits that hold for a container: those of its configuration, until an update changes them. */
import { parseJson } from '../../../../specs/json/parse-json.ts';
import type { LinuxResources } from '../../../../specs/runtime/linux/resources.ts';
import { loadConfig } from '../../spec/load.ts';

/** In the container's directory, once there was an update: all limits. */
export const RESOURCES = 'resources.json';

/**
 * @param updated the text of `RESOURCES`, if it is there
 * @param config reads the frozen configuration
 */
export function presentResources(updated: string | undefined, config: () => string): LinuxResources {
  // Our own file, written as a whole: it is what passed the check before.
  if (updated !== undefined) return parseJson(updated) as unknown as LinuxResources;
  return loadConfig(config()).config.linux?.resources ?? {};
}
