import { COMMIT, VERSION } from '../../base/version.ts';
import { features } from '../../operations/features.ts';
import { defineCommand } from '../command.ts';
import { print } from '../output.ts';

export const featuresCommand = defineCommand({
  name: 'features',
  flags: {},
  operands: [0, 0],
  run: ({ sys }) => {
    print(sys, `${JSON.stringify(features(sys, VERSION, COMMIT), undefined, 4)}\n`);
    return 0;
  },
});
