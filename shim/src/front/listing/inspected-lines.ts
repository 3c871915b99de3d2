/** What `inspect` prints of what it has found; on both engines. */

import { compileTemplate } from '../format/template.ts';

/** `format`: of --format. @returns a printer of what has been found. @throws ContainerError invalid for a wrong template */
export function inspectedPrinter(format: string | undefined): (found: readonly object[]) => string[] {
  if (format === undefined) return (found) => [JSON.stringify(found, undefined, 4)];
  if (format === 'json') return (found) => found.map((object) => JSON.stringify(object));
  return (found) => found.map(compileTemplate(format));
}
