import { COMMIT, VERSION } from '../../../runtime/src/base/version.ts';
import type { CommandForm } from './command-form.ts';

export const VERSION_FORM: CommandForm = { name: 'version', usage: '', summary: 'Print the version', options: [], positionals: [0, 0] };

export function versionText(): string {
  return `tsimg version ${VERSION}\ncommit: ${COMMIT}`;
}
