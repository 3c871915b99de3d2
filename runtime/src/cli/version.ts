/** The version: `package.json` and git at the time of the build, which puts both in place of these names. */
import { SPEC_VERSION } from '../../../specs/runtime/config.ts';

declare const TSRUN_VERSION: string | undefined;
declare const TSRUN_COMMIT: string | undefined;

/** Where nobody has built anything, as in tests. */
const UNBUILT = 'unbuilt';

export const VERSION = typeof TSRUN_VERSION === 'string' ? TSRUN_VERSION : UNBUILT;
export const COMMIT = typeof TSRUN_COMMIT === 'string' ? TSRUN_COMMIT : UNBUILT;

/** docker takes the last line with the word "version" for ours: no other line has it. */
export function versionText(): string {
  return `tsrun version ${VERSION}\ncommit: ${COMMIT}\nspec: ${SPEC_VERSION}\n`;
}
