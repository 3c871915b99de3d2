import { SPEC_VERSION } from '../../../specs/runtime/config.ts';
import { COMMIT, VERSION } from '../base/version.ts';

/** docker takes the last line with the word "version" for ours: no other line has it. */
export function versionText(): string {
  return `tsrun version ${VERSION}\ncommit: ${COMMIT}\nspec: ${SPEC_VERSION}\n`;
}
