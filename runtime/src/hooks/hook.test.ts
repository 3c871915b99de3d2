import { syscallError } from '../linux/errno.ts';
import { checkHookEnd, explainHookFailure, hookArgv } from './hook.ts';

const place = { name: 'createRuntime', index: 2, hook: { path: '/bin/hook', timeout: 3 } } as const;
const ended = (status: number, signaled = false) => ({ exit: { pid: 1, status, signaled }, timedOut: false, output: '' });

describe('hookArgv', () => {
  it('is the path alone where there are no arguments', () => {
    expect(hookArgv({ path: '/bin/hook' })).toEqual(['/bin/hook']);
    expect(hookArgv({ path: '/bin/hook', args: [] })).toEqual(['/bin/hook']);
    expect(hookArgv({ path: '/bin/hook', args: ['name', '-x'] })).toEqual(['name', '-x']);
  });
});

describe('checkHookEnd', () => {
  it('takes only status 0 for success', () => {
    expect(() => checkHookEnd(place, ended(0))).not.toThrow();
  });

  it.each([
    [ended(1), 'exit status 1'],
    [{ ...ended(1), output: '\n why \n' }, 'exit status 1, output: why'],
    [ended(9, true), 'killed by signal 9'],
    [{ ...ended(0), timedOut: true }, 'hook ran past its timeout of 3 s and was killed'],
    [{ exit: undefined, timedOut: false, output: '' }, 'its exit status is not known'],
  ])('tells of %j', (end, what) => {
    expect(() => checkHookEnd(place, end)).toThrow(
      expect.objectContaining({
        code: 'hook',
        message: `error running createRuntime hook #2: /bin/hook: ${what}`,
        configPath: 'hooks.createRuntime[2]',
      }),
    );
  });
});

describe('explainHookFailure', () => {
  it('says that the program cannot be executed, or what else failed', () => {
    const missing = syscallError({ syscall: 'execve', errno: 2, object: '/bin/hook' });
    expect(explainHookFailure(place, missing)).toMatchObject({
      message: 'error running createRuntime hook #2: /bin/hook: cannot be executed: no such file or directory',
      cause: missing,
    });
    const other = syscallError({ syscall: 'clone', errno: 11 });
    expect(explainHookFailure(place, other)).toMatchObject({
      message: 'error running createRuntime hook #2: /bin/hook: clone: resource temporarily unavailable',
    });
  });

  it('leaves other errors as they are', () => {
    const error = new Error('a mistake');
    expect(explainHookFailure(place, error)).toBe(error);
  });
});
