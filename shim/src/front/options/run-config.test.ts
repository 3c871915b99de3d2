import { parseArguments } from '../cli/flags.ts';
import { findCommand } from '../grammar/commands.ts';
import { hostConfigOf } from './host-config.ts';
import { runConfigOf } from './run-config.ts';

const image = { Entrypoint: ['/entry'], Cmd: ['serve'], Env: ['PATH=/bin', 'A=1'], ExposedPorts: { '1194/udp': {} }, Labels: { a: 'b' } };

function config(...words: string[]) {
  const found = findCommand(['run', ...words]);
  if (found === undefined) throw new Error('no run');
  const args = parseArguments(found.grammar, found.rest);
  const [imageName = '', ...command] = args.positionals;
  return {
    host: hostConfigOf(args),
    run: runConfigOf({ args, image, imageName, command, id: 'abcdef0123456789', env: { HOME: '/root' }, isDetached: args.flag('detach') }),
  };
}

describe('runConfigOf', () => {
  it('puts the command line over the image', () => {
    const { run } = config('-it', '-e', 'A=2', '-e', 'HOME', '-e', 'NONE', '-l', 'x=y', '--expose', '80', 'img', 'ls', '-l');
    expect(run).toMatchObject({
      Hostname: 'abcdef012345',
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      Env: ['PATH=/bin', 'A=2', 'HOME=/root'],
      Entrypoint: ['/entry'],
      Cmd: ['ls', '-l'],
      Labels: { a: 'b', x: 'y' },
      ExposedPorts: { '80/tcp': {}, '1194/udp': {} },
    });
  });

  it('lets an entry point of its own forget the command of the image', () => {
    expect(config('--entrypoint', '/bin/sh', 'img').run).toMatchObject({ Entrypoint: ['/bin/sh'], Cmd: [] });
    expect(() => config('--entrypoint', '', 'img')).toThrow('No command specified');
  });

  it.each([
    [['-w', 'etc', 'img'], 'absolute path'],
    [['-a', 'stdfoo', 'img'], 'valid streams'],
    [['-d', '-a', 'stdout', 'img'], 'Conflicting options: -a and -d'],
    [['--rm', '--restart', 'always', 'img'], '--restart and --rm'],
    [['--gpus', 'all', 'img'], 'gpu'],
    [['--log-driver', 'syslog', 'img'], 'no log driver'],
    [['--log-opt', 'what=1', 'img'], 'unknown log opt'],
    [['--network', 'host', '--network', 'x', 'img'], 'cannot be used with other networks'],
    [['--pid', 'elsewhere', 'img'], 'invalid PID mode'],
    [['--add-host', 'db', 'img'], 'bad format'],
    [['--dns', 'google', 'img'], 'is not an ip address'],
    [['--health-cmd', 'x', '--no-healthcheck', 'img'], 'conflicts'],
  ])('refuses %j', (words, message) => {
    expect(() => config(...words)).toThrow(message);
  });

  it('collects published ports', () => {
    expect(config('-p', '80:80', '-p', '1194:1194/udp', 'img').host.PortBindings).toEqual({
      '80/tcp': [{ HostIp: '', HostPort: '80' }],
      '1194/udp': [{ HostIp: '', HostPort: '1194' }],
    });
  });
});
