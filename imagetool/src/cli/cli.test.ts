import { digestOf } from '../digest/digest.ts';
import { parseArgs } from './args.ts';
import { splitCommandLine, unknownCommand } from './command-line.ts';
import { createdTime, sourceEpoch } from './epoch.ts';
import { progressView } from './progress-view.ts';
import { formatAge, formatSize, formatTable } from './table.ts';

describe('parseArgs', () => {
  const specs = [
    { name: 'all', short: 'a', help: '' },
    { name: 'quiet', short: 'q', help: '' },
    { name: 'output', short: 'o', value: 'FILE', help: '' },
  ];

  it('reads options in every form, between positionals', () => {
    const args = parseArgs(['x', '-aq', '--output=one', 'y', '-o', 'two', '-othree', '--', '-z'], specs);
    expect([args.positionals, args.values('output'), args.flag('all'), args.flag('quiet'), args.rest]).toEqual([
      ['x', 'y'],
      ['one', 'two', 'three'],
      true,
      true,
      ['-z'],
    ]);
    expect(parseArgs(['--all=false', '-'], specs).flag('all')).toBe(false);
    expect(parseArgs(['-'], specs).positionals).toEqual(['-']);
  });

  it.each([[['--nothing']], [['-x']], [['--output']], [['-o']]])('refuses %j', (argv) => {
    expect(() => parseArgs(argv, specs)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('what is misspelt', () => {
  it.each([
    [['--rot', '/x', 'pull', 'a'], 'unknown option --rot', 'Did you mean --root?'],
    [['--nonsense', 'value', 'pull'], 'unknown option --nonsense', undefined],
    [['-x', 'value', 'pull'], 'unknown option -x', undefined],
    [['--root', '/x', 'pul', 'a'], 'there is no command "pul"; tsimg help lists them', 'Did you mean pull?'],
    [['frobnicate'], 'there is no command "frobnicate"; tsimg help lists them', undefined],
  ])('%j is told of, with the nearest name', (argv, message, hint) => {
    const { word = '' } = splitCommandLine(argv);
    expect(unknownCommand(argv, word, ['pull', 'push', 'images'])).toMatchObject({ message, hint });
  });

  it('an option of the command as well', () => {
    const quiet = { name: 'quiet', help: '' };
    expect(() => parseArgs(['--quiett'], [quiet])).toThrow(
      expect.objectContaining({ message: 'unknown option --quiett', hint: 'Did you mean --quiet?' }),
    );
  });
});

describe('tables', () => {
  it('are docker’s', () => {
    expect(
      formatTable(
        ['REPOSITORY', 'TAG', 'SIZE'],
        [
          ['a', 'latest-and-more', '1B'],
          ['b', 'x', '22kB'],
        ],
      ),
    ).toEqual(['REPOSITORY   TAG               SIZE', 'a            latest-and-more   1B', 'b            x                 22kB']);
    expect(formatTable(['A', 'B'], [])).toEqual(['A         B']);
  });

  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [35_600, '35.6kB'],
    [999_600, '1MB'],
    [109_400_000, '109MB'],
    [1.234e9, '1.23GB'],
  ])('shows %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  it.each([
    [0, 'Less than a second ago'],
    [1, '1 second ago'],
    [59, '59 seconds ago'],
    [60, 'About a minute ago'],
    [3600, 'About an hour ago'],
    [47 * 3600, '47 hours ago'],
    [13 * 86400, '13 days ago'],
    [30 * 86400, '4 weeks ago'],
    [365 * 86400, '12 months ago'],
    [800 * 86400, '2 years ago'],
  ])('shows %d seconds as %s', (seconds, text) => {
    expect(formatAge('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:00Z') + seconds * 1000)).toBe(text);
  });
});

describe('sourceEpoch', () => {
  it('reads seconds and refuses all else', () => {
    expect(sourceEpoch({})).toBeUndefined();
    expect(createdTime(sourceEpoch({ SOURCE_DATE_EPOCH: '1700000000' }))).toBe('2023-11-14T22:13:20Z');
    expect(() => sourceEpoch({ SOURCE_DATE_EPOCH: 'now' })).toThrow(/SOURCE_DATE_EPOCH/);
  });
});

describe('progressView', () => {
  it('draws what is under way in place, with rate and time left', () => {
    let nowMs = 0;
    let screen = '';
    const take = progressView({ columns: 100, write: (text) => (screen += text) }, () => nowMs);
    const digest = digestOf('x');
    take({ kind: 'start', digest, total: 1000, kept: 500 });
    nowMs = 1000;
    take({ kind: 'bytes', digest, done: 600, total: 1000 });
    expect(screen.split('\n').at(-2)).toBe('\x1b[1A\x1b[J2d711642b726: [==============>         ] 600B/1kB  100B/s  4s');
    take({ kind: 'done', digest, outcome: 'downloaded' });
    expect(screen.endsWith('\x1b[1A\x1b[J2d711642b726: downloaded\n')).toBe(true);
  });
});
