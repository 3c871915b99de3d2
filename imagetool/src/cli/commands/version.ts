import type { Command } from '../command.ts';
import { VERSION_FORM, versionText } from '../version.ts';

export const version: Command = {
  ...VERSION_FORM,
  async run(context) {
    context.print(versionText());
    return 0;
  },
};
