/** What COPY and ADD take from the context, beside what the ignore file leaves in it. */

import { posix } from 'node:path';
import type { IgnoreFile } from '../../ignore/ignore-file.ts';
import type { Dockerfile } from '../ast.ts';
import { globalScope } from '../expand.ts';
import { StageScope } from '../scope.ts';
import type { CheckOptions } from './check.ts';
import type { Report } from './finding.ts';
import { expansionOf } from './variables.ts';

/** With `!` in the ignore file it is not told: below an excluded directory there may be files that are not. */
export function checkContext(file: Dockerfile, ignoreFile: IgnoreFile, options: CheckOptions, report: Report): void {
  if (ignoreFile.hasNegations) return;
  const globals = globalScope(file, options.predefined, options.buildArguments);
  for (const { instructions } of file.stages) {
    let scope = StageScope.begin({ environment: [], globals, buildArguments: options.buildArguments });
    for (const instruction of instructions) {
      const result = expansionOf(file, instruction, { scope, isKnown: false })?.result;
      if (result === undefined) continue;
      if (result.kind === 'ARG' || result.kind === 'ENV') scope = scope.after(result);
      if (result.kind !== 'ADD' && (result.kind !== 'COPY' || result.from !== undefined)) continue;
      for (const [index, source] of result.sources.entries()) {
        const { ignored, rule } = ignoreFile.decide(pathInContext(source));
        if (/^[a-z+]+:\/\//i.test(source) || !ignored) continue;
        const range = result.written.sources[index]?.range ?? instruction.range;
        const reason = `${source} is excluded by line ${rule?.line} of ${ignoreFile.name}`;
        report('CopyIgnoredFile', range, reason, instruction.comments);
      }
    }
  }
}

/** The context itself is called by a name that only patterns for everything match. */
function pathInContext(source: string): string {
  const path = posix.normalize(posix.join('/', source)).replace(/^\/|\/$/g, '');
  return path === '' ? 'any-name-at-all' : path;
}
