import type { CommandGrammar } from './flags.ts';
import { parseArguments } from './flags.ts';

const run: CommandGrammar = {
  name: 'run',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Run.',
  least: 1,
  most: Number.POSITIVE_INFINITY,
  stopsAtFirst: true,
  flags: [
    { name: 'interactive', short: 'i', kind: 'boolean', help: '' },
    { name: 'tty', short: 't', kind: 'boolean', help: '' },
    { name: 'publish', short: 'p', kind: 'list', help: '' },
    { name: 'name', kind: 'string', help: '' },
    { name: 'cpus', kind: 'decimal', help: '' },
    { name: 'cpu-shares', short: 'c', kind: 'int', help: '' },
  ],
};

describe('parseArguments', () => {
  it('reads joined flags, values in all three places, and leaves the command alone', () => {
    const args = parseArguments(run, ['-itp80:80', '-p', '1194:1194/udp', '--name=x', 'ubuntu', 'ls', '-l', '--name']);
    expect(args.flag('interactive') && args.flag('tty')).toBe(true);
    expect(args.values('publish')).toEqual(['80:80', '1194:1194/udp']);
    expect(args.value('name')).toBe('x');
    expect(args.positionals).toEqual(['ubuntu', 'ls', '-l', '--name']);
  });

  it('takes a boolean back', () => {
    expect(parseArguments(run, ['--tty=false', 'x']).flag('tty')).toBe(false);
  });

  it.each([
    [['--huh'], 'unknown flag: --huh'],
    [['-iz'], "unknown shorthand flag: 'z' in -iz"],
    [['--name'], 'flag needs an argument: --name'],
    [['-p'], "flag needs an argument: 'p' in -p"],
    [['--cpus', 'many'], 'invalid argument "many" for "--cpus" flag'],
    [['-c', '1.5'], 'invalid argument "1.5" for "-c, --cpu-shares" flag'],
    [['-i=maybe', 'x'], 'ParseBool'],
  ])('refuses %j with 125', (words, message) => {
    expect(() => parseArguments(run, words)).toThrow(message);
    try {
      parseArguments(run, words);
    } catch (error) {
      expect(error).toMatchObject({ exitCode: 125 });
    }
  });

  it('counts arguments, unless help is wanted', () => {
    expect(() => parseArguments(run, [])).toThrow('"tsctl run" requires at least 1 argument.');
    expect(parseArguments(run, ['--help']).flag('help')).toBe(true);
  });
});
