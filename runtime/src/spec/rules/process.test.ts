import type { Process } from '../../../../specs/runtime/process.ts';
import { findErrors, findWarnings } from '../test/findings.ts';

type Case = [changes: Partial<Process>, expected: string[]];

describe('processErrors', () => {
  it.each<Case>([
    [{ args: [] }, ['process-args process.args']],
    [{ cwd: 'tmp' }, ['process-cwd-absolute process.cwd']],
    [{ cwd: '' }, ['process-cwd-absolute process.cwd']],
    [{ cwd: '/tmp', args: [''] }, []],
    [{ terminal: true, consoleSize: { height: 65535, width: 65536 } }, ['console-size process.consoleSize.width']],
    [{ consoleSize: { height: 65536, width: 18446744073709551615n } }, []],
    [{ user: { uid: 4294967294, gid: 4294967294, umask: 0o777 } }, []],
    [{ user: { uid: 4294967295, gid: 0 } }, ['user-id-reserved process.user.uid']],
    [{ user: { uid: 0, gid: 4294967295 } }, ['user-id-reserved process.user.gid']],
    [{ user: { uid: 0, gid: 0, additionalGids: [5, 4294967295] } }, ['user-id-reserved process.user.additionalGids[1]']],
    [{ user: { uid: 4294967296, gid: -1 } }, ['type process.user.uid', 'type process.user.gid']],
    [{ user: { uid: 0, gid: 0, umask: 0o1000 } }, ['user-umask process.user.umask']],
    [{ oomScoreAdj: -1001 }, ['type process.oomScoreAdj']],
  ])('%j', (process, expected) => {
    expect(findErrors({ process })).toEqual(expected);
  });
});

describe('processWarnings', () => {
  it.each<Case>([
    [{ env: ['A=1', 'B=', 'C', '=D', ''] }, ['env[2]', 'env[3]', 'env[4]'].map((path) => `env-without-value process.${path}`)],
    [{ user: {} }, ['user-id-missing process.user.uid', 'user-id-missing process.user.gid']],
    [{ user: { uid: 1, gid: 1 } }, []],
  ])('%j', (process, expected) => {
    expect(findWarnings({ process })).toEqual(expected);
  });
});
