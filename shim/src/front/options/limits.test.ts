import { parseArguments } from '../cli/flags.ts';
import { findCommand } from '../grammar/commands.ts';
import { parseDevice, parseUlimit, resourcesOf, restartPolicyOf } from './limits.ts';

const run = findCommand(['run'])?.grammar;
const given = (...words: string[]) => {
  if (run === undefined) throw new Error('no run');
  return parseArguments(run, [...words, 'image']);
};

describe('resourcesOf', () => {
  it('reads sizes, fractions of CPUs and counts', () => {
    expect(resourcesOf(given('-m', '512m', '--memory-swap=-1', '--cpus', '1.5', '-c', '640', '--pids-limit', '100'))).toEqual({
      Memory: 536870912,
      MemorySwap: -1,
      NanoCpus: 1.5e9,
      CpuShares: 640,
      PidsLimit: 100,
    });
  });

  it.each([
    [['-m', '4m'], 'Minimum memory limit allowed is 6MB'],
    [['--memory-swap', '1g'], 'always set the Memory limit'],
    [['-m', '1g', '--memory-swap', '512m'], 'larger than memory limit'],
    [['--cpus', '1', '--cpu-quota', '1000'], 'Conflicting options'],
    [['--blkio-weight', '5'], '10 to 1000'],
  ])('refuses %j', (words, message) => {
    expect(() => resourcesOf(given(...words))).toThrow(message);
  });
});

describe('restartPolicyOf', () => {
  it('reads the four policies', () => {
    expect(restartPolicyOf('on-failure:3')).toEqual({ Name: 'on-failure', MaximumRetryCount: 3 });
    expect(restartPolicyOf('unless-stopped').Name).toBe('unless-stopped');
    expect(restartPolicyOf(undefined).Name).toBe('no');
    expect(() => restartPolicyOf('always:3')).toThrow('cannot be used');
    expect(() => restartPolicyOf('sometimes')).toThrow('invalid restart policy');
    expect(() => restartPolicyOf('on-failure:x')).toThrow('integer');
  });
});

describe('parseUlimit', () => {
  it('reads soft and hard', () => {
    expect(parseUlimit('nofile=1024:2048')).toEqual({ Name: 'nofile', Soft: 1024, Hard: 2048 });
    expect(parseUlimit('core=-1')).toEqual({ Name: 'core', Soft: -1, Hard: -1 });
    for (const wrong of ['nofile', 'files=1', 'nofile=2:1']) expect(() => parseUlimit(wrong)).toThrow('ulimit');
  });
});

describe('parseDevice', () => {
  it('reads both paths and the permissions', () => {
    expect(parseDevice('/dev/fuse')).toEqual({ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' });
    expect(parseDevice('/dev/a:/dev/b:r')).toEqual({ PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'r' });
    expect(parseDevice('/dev/a:rw').CgroupPermissions).toBe('rw');
    for (const wrong of ['fuse', '/dev/a:/dev/b:x', '/a:/b:r:w']) expect(() => parseDevice(wrong)).toThrow('device');
  });
});
