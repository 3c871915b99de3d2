import { type Flags, flagTable, parseArgs, parseNumber, UsageError } from './args.ts';
import { parseGroup, parseUser } from './user.ts';

const FLAGS = {
  bundle: { kind: 'text', short: 'b' },
  env: { kind: 'texts', short: 'e' },
  'no-subreaper': { kind: 'switch' },
  detach: { kind: 'switch', short: 'd' },
  tty: { kind: 'switch', short: 't' },
  'preserve-fds': { kind: 'number' },
} as const satisfies Flags;

const parse = (words: readonly string[], stopAtOperand = false) => parseArgs(words, flagTable(FLAGS), { stopAtOperand });

describe('parseArgs', () => {
  it.each([
    [['--bundle', '/b']],
    [['--bundle=/b']],
    [['-bundle', '/b']],
    [['-bundle=/b']],
    [['-b', '/b']],
    [['-b=/b']],
    [['--b=/b']],
    [['--bundle', '/a', '--bundle', '/b']],
  ])('takes a value from %j', (words) => {
    const { values, operands, given } = parse([...words, 'id']);
    expect(values.bundle).toBe('/b');
    expect(operands).toEqual(['id']);
    expect([...given]).toEqual(['bundle']);
  });

  it.each([
    [['--no-subreaper'], true],
    [['-no-subreaper'], true],
    [['--no-subreaper=true'], true],
    [['--no-subreaper=1'], true],
    [['--no-subreaper=false'], false],
    [[], false],
  ])('takes a switch from %j', (words, value) => {
    expect(parse(words).values['no-subreaper']).toBe(value);
  });

  it('takes no value for a switch from the next word', () => {
    expect(parse(['--detach', 'true'])).toMatchObject({ values: { detach: true }, operands: ['true'] });
  });

  it('takes letters of switches together', () => {
    expect(parse(['-td']).values).toMatchObject({ detach: true, tty: true });
    expect(() => parse(['-tb'])).toThrow('unknown flag -tb');
  });

  it('collects what may be repeated, and has defaults for what is absent', () => {
    expect(parse(['-e', 'A=1', '--env=B=2=3', '--env', '']).values.env).toEqual(['A=1', 'B=2=3', '']);
    expect(parse([]).values).toEqual({
      bundle: undefined,
      env: [],
      'no-subreaper': false,
      detach: false,
      tty: false,
      'preserve-fds': undefined,
    });
  });

  it('takes a value that looks like a flag, and one that is empty', () => {
    expect(parse(['--bundle', '--detach']).values).toMatchObject({ bundle: '--detach', detach: false });
    expect(parse(['--bundle=']).values.bundle).toBe('');
  });

  it('finds flags after operands, unless the first operand ends them', () => {
    expect(parse(['id', '--detach'])).toMatchObject({ values: { detach: true }, operands: ['id'] });
    expect(parse(['-t', 'id', '--detach', '--', 'x'], true)).toMatchObject({
      values: { tty: true, detach: false },
      operands: ['id', '--detach', '--', 'x'],
    });
  });

  it('ends flags at --, and takes - for an operand', () => {
    expect(parse(['-t', '--', '--detach', '-'])).toMatchObject({ values: { tty: true, detach: false }, operands: ['--detach', '-'] });
    expect(parse(['-', '-t'])).toMatchObject({ values: { tty: true }, operands: ['-'] });
  });

  it.each([
    [['--unknown'], 'unknown flag --unknown'],
    [['--unknown=1'], 'unknown flag --unknown'],
    [['-x'], 'unknown flag -x'],
    [['--__proto__=1'], 'unknown flag --__proto__'],
    [['--constructor'], 'unknown flag --constructor'],
    [['--bundle'], 'flag --bundle needs a value'],
    [['--detach=maybe'], 'invalid value "maybe" for flag --detach: it is true or false'],
    [['--preserve-fds', '3x'], 'invalid value "3x" for flag --preserve-fds: it is a number from 0 to 2147483647'],
  ])('refuses %j', (words, message) => {
    expect(() => parse(words)).toThrow(new UsageError(message));
  });
});

describe('parseNumber', () => {
  it.each(['', ' 1', '1 ', '-1', '+1', '1.0', '1e3', '0x1', '٣', '4294967296'])('refuses %j', (text) => {
    expect(() => parseNumber('it', text, 0xffffffff)).toThrow(UsageError);
  });

  it('takes decimal digits', () => {
    expect([parseNumber('it', '0'), parseNumber('it', '007'), parseNumber('it', '2147483647')]).toEqual([0, 7, 2147483647]);
  });
});

describe('parseUser', () => {
  it('takes a user, and a group', () => {
    expect(parseUser('1000')).toEqual({ uid: 1000, gid: undefined });
    expect(parseUser('0:4294967294')).toEqual({ uid: 0, gid: 4294967294 });
  });

  it.each(['', ':', '1:', ':1', 'root', '1x', '1:2:3', ' 1', '-1', '4294967295', '4294967296', '1:4294967295', '99999999999'])(
    'refuses %j, which must not become root (CVE-2026-30892)',
    (text) => {
      expect(() => parseUser(text)).toThrow(UsageError);
    },
  );

  it('takes groups in the same way', () => {
    expect(parseGroup('5')).toBe(5);
    expect(() => parseGroup('wheel')).toThrow(UsageError);
  });
});
