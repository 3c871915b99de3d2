/** `tsimg build --check`: what a build would stumble over, and what it would not although it is a mistake. Nothing is built, no image is looked up. */

import { hostPlatform } from '../image/platform.ts';
import { type BuildOptions, contextOf } from './build.ts';
import { checkDockerfile } from './dockerfile/checks/check.ts';
import type { Finding } from './dockerfile/checks/finding.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import type { Source } from './dockerfile/source.ts';
import { platformArguments } from './plan/stages.ts';
import { Workspace } from './run/workspace.ts';

export interface BuildCheck {
  readonly source: Source;
  /** In the order of the file. */
  readonly findings: readonly Finding[];
}

/** Throws DockerfileError for what cannot be built, and ImageError `context` and `ignore-file`. */
export async function checkBuild(options: BuildOptions): Promise<BuildCheck> {
  const workspace = await Workspace.open(options.store);
  try {
    const { dockerfile, ignoreFile } = await contextOf(options, workspace);
    const file = parseDockerfile(dockerfile.text, dockerfile.name);
    const buildPlatform = hostPlatform();
    const { findings } = checkDockerfile(file, {
      ignoreFile,
      buildArguments: options.buildArguments,
      predefined: platformArguments({ platform: options.platforms[0] ?? buildPlatform, buildPlatform }),
    });
    return { source: file.source, findings };
  } finally {
    workspace.close();
  }
}
