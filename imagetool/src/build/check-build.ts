/** `tsimg build --check`: what a build would stumble over, and what it would not although it is a mistake. Nothing is built, and nothing pulled. */

import { ImageError } from '../base/errors.ts';
import { untilAborted } from '../base/until-aborted.ts';
import { hostPlatform } from '../image/platform.ts';
import { type BuildOptions, contextOf, type ImageLookup, memoized, planFor } from './build.ts';
import { type BuildCheck, checkPlan } from './check-plan.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import { Workspace } from './run/workspace.ts';

/** `note` is told of base images that cannot be had: without their variables less is found. Throws DockerfileError, ImageError `context` and others. */
export async function checkBuild(options: BuildOptions, note: (text: string) => void): Promise<BuildCheck> {
  const workspace = await Workspace.open(options.store);
  try {
    const { dockerfile: text, ignoreFile } = await contextOf(options, workspace);
    const dockerfile = parseDockerfile(text.text, text.name);
    const platform = options.platforms[0] ?? hostPlatform();
    const images = memoized(tolerant((reference, at) => untilAborted(options.signal, options.lookUpImage(reference, at)), note));
    const plan = await planFor(options, { dockerfile, images }, platform);
    return await checkPlan(options, { dockerfile, ignoreFile, plan, platform, images });
  } finally {
    await workspace.close();
  }
}

/** What is wrong with the file is worth knowing without the network. */
function tolerant(lookUp: ImageLookup, note: (text: string) => void): ImageLookup {
  return async (reference, platform) => {
    try {
      return await lookUp(reference, platform);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      note(`${reference} cannot be looked up, and its variables are not known: ${error.message}`);
      const { os, architecture } = platform;
      return { config: { os, architecture, rootfs: { type: 'layers', diff_ids: [] } } };
    }
  };
}
