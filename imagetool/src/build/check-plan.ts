/** What is not as it should be in a Dockerfile that can be built. */

import type { Platform } from '../../../specs/image/descriptor.ts';
import { ImageError } from '../base/errors.ts';
import { hostPlatform } from '../image/platform.ts';
import type { BuildOptions, ImageLookup } from './build.ts';
import type { Dockerfile } from './dockerfile/ast.ts';
import { checkDockerfile } from './dockerfile/checks/check.ts';
import type { Finding } from './dockerfile/checks/finding.ts';
import { type CheckSettings, parseCheckSettings } from './dockerfile/checks/settings.ts';
import { DockerfileError } from './dockerfile/error.ts';
import type { Source } from './dockerfile/source.ts';
import type { IgnoreFile } from './ignore/ignore-file.ts';
import { type BuildPlan, platformArguments } from './plan/stages.ts';

export interface BuildCheck {
  readonly source: Source;
  /** In the order of the file. */
  readonly findings: readonly Finding[];
  /** The findings are a failure: `# check=error=true`. */
  readonly isError: boolean;
}

export interface Checked {
  readonly dockerfile: Dockerfile;
  readonly ignoreFile: IgnoreFile;
  readonly plan: BuildPlan;
  readonly platform: Platform;
  readonly images: ImageLookup;
}

/** As docker has it, an argument of the build says what is checked, beside the directives of the file. */
const SETTINGS_ARGUMENT = 'BUILDKIT_DOCKERFILE_CHECK';

/** Variables of base images are known where the plan has looked them up. */
export async function checkPlan(
  { buildArguments }: Pick<BuildOptions, 'buildArguments'>,
  { dockerfile, ignoreFile, plan, platform, images }: Checked,
): Promise<BuildCheck> {
  const environments = new Map<number, readonly string[]>();
  for (const { index, base } of plan.stages) {
    if (base.kind === 'image') environments.set(index, (await images(base.reference, base.platform)).config.config?.Env ?? []);
  }
  const settings = settingsOf(buildArguments.get(SETTINGS_ARGUMENT));
  const { findings, isError } = checkDockerfile(dockerfile, {
    ignoreFile,
    buildArguments,
    predefined: platformArguments({ platform, buildPlatform: hostPlatform() }),
    environments,
    ...(settings === undefined ? {} : { settings }),
  });
  return { source: dockerfile.source, findings, isError };
}

function settingsOf(text: string | undefined): CheckSettings | undefined {
  const settings = text === undefined ? undefined : parseCheckSettings(text);
  if (typeof settings === 'string') throw new ImageError('usage', `--build-arg ${SETTINGS_ARGUMENT}: ${settings}`);
  return settings;
}

/** @param check with findings */
export function checkError({ source, findings }: BuildCheck): DockerfileError {
  const [first, ...others] = findings.map(({ range, reason, rule, link }) => ({ range, reason: `${reason} (${rule})`, hint: link }));
  if (first === undefined) throw new Error('a check without findings is no error');
  return new DockerfileError(source, [first, ...others]);
}
