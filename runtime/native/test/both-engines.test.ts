import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { itWith } from '../../../.scripts/jest/requirement.ts';
import { createNodeSys } from '../../src/sys/node.ts';
import { scenario } from './scenario.ts';

const root = resolve(__dirname, '../../..');
const command = join(root, 'dist/.build/scenario');

function runNative(args: readonly (string | Buffer)[], env: Record<string, string> = {}) {
  return spawnSync(command, args as string[], { encoding: 'utf8', env });
}

describe('Sys', () => {
  const build = spawnSync(process.execPath, ['.scripts/build/one-native.mjs', 'runtime/native/test/scenario-main.ts', command], {
    cwd: root,
    encoding: 'utf8',
  });
  const engine = { what: 'native engine', met: build.status !== 3 };

  it('can be built natively, or says what is missing', () => {
    expect([build.status, build.stderr]).toEqual([build.status === 3 ? 3 : 0, build.status === 3 ? expect.stringMatching(/./) : '']);
  });

  itWith([engine], 'is the same on both engines, byte for byte', () => {
    const native = runNative([]);
    expect(native.stderr).toBe('');
    expect(native.stdout.split('\n')).toEqual(scenario(createNodeSys()).split('\n'));
    expect(native.status).toBe(7);
  });

  itWith([engine], 'has the command line and the environment as they were given', () => {
    const native = runNative(['argv', 'grüße', '', '--x=1'], { B: '2', A: 'ä=ö', EMPTY: '' });
    expect(JSON.parse(native.stdout)).toEqual([
      ['argv', 'grüße', '', '--x=1'],
      ['B=2', 'A=ä=ö', 'EMPTY='],
    ]);
  });

  itWith([engine], 'reports an exception that nobody caught', () => {
    const native = runNative(['fail']);
    expect(native.status).toBe(1);
    expect(native.stderr).toMatch(/^tsrun: internal error: RangeError: on purpose\n {4}at /);
  });
});
