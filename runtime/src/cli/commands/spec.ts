import { stringifyJson } from '../../../../specs/json/stringify-json.ts';
import { RuntimeError } from '../../base/errors.ts';
import { tryCall } from '../../linux/call.ts';
import { replaceFile } from '../../linux/files.ts';
import { lstat } from '../../linux/stat.ts';
import { defaultConfig } from '../../spec/default-config.ts';
import { defineCommand } from '../command.ts';
import { absolutePath } from '../paths.ts';

const CONFIG = 'config.json';
const FILE_MODE = 0o644;

export const specCommand = defineCommand({
  name: 'spec',
  // As a global flag, --rootless has a value; here it has none.
  flags: { bundle: { kind: 'text', short: 'b' }, rootless: { kind: 'switch' } },
  operands: [0, 0],
  run: ({ sys, flags }) => {
    const path = `${absolutePath(sys, flags.bundle ?? '')}/${CONFIG}`;
    if (lstat(sys, path) !== undefined) {
      throw new RuntimeError('exists', `File ${CONFIG} exists. Remove it first`);
    }
    const rootless = flags.rootless ? { rootless: { uid: tryCall(sys, 'geteuid'), gid: tryCall(sys, 'getegid') } } : {};
    replaceFile(sys, path, `${stringifyJson(defaultConfig(rootless), '\t')}\n`, { mode: FILE_MODE });
    return 0;
  },
});
