import type { Sys } from '../sys/sys.ts';
import { answerQuickly } from './quick.ts';

/** Nothing but a command line: whatever else is asked of it fails the test. */
function onlyWords(...words: string[]): Sys {
  return new Proxy({ argv: ['tsrun', ...words], environ: [] } as unknown as Sys, {
    get(target, name) {
      if (name in target) return target[name as keyof Sys];
      throw new Error(`${String(name)} is used`);
    },
  });
}

describe('answerQuickly', () => {
  it.each([
    [[]],
    [['list']],
    [['--root', 'run', 'list']],
    [['help', 'run']],
    [['run', '--help']],
    [['--version', 'run', 'c1']],
    [['--trace', 'file', 'run', 'c1']],
    [['run', '--trace=file', 'c1']],
    [['run']],
    [['state', 'c1', 'c2']],
    [['run', '--bundel', 'b', 'c1']],
    [['--log-format', 'xml', 'state', 'c1']],
  ])('leaves %j to the whole command line, and has done nothing', (words) => {
    expect(answerQuickly(onlyWords(...words))).toBeUndefined();
  });

  it('does what a command asks for', () => {
    expect(() => answerQuickly(onlyWords('--root', '/nowhere', 'state', 'c1'))).toThrow('is used');
  });
});
