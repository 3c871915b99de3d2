/** From the text of a Dockerfile to its tree. */

import type { Dockerfile, StageInstruction } from './ast.ts';

/** Throws DockerfileError with every problem found. */
export function parseDockerfile(text: string, name = 'Dockerfile'): Dockerfile {
  throw new Error(`not written yet: ${name} ${text.length}`);
}

/** An ONBUILD trigger out of the configuration of an image; `name` is that image's. Throws DockerfileError. */
export function parseTrigger(expression: string, name: string): StageInstruction {
  throw new Error(`not written yet: ${name} ${expression}`);
}
