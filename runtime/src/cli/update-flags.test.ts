import { flagTable, parseArgs } from './args.ts';
import { parseDurationMs } from './duration.ts';
import { parseSize } from './size.ts';
import { rdtFromFlags, resourcesFromFlags, UPDATE_FLAGS } from './update-flags.ts';

type Values = Parameters<typeof resourcesFromFlags>[0];

function resources(given: Partial<Values>): unknown {
  const none = Object.fromEntries(Object.keys(UPDATE_FLAGS).map((name) => [name, undefined])) as unknown as Values;
  return resourcesFromFlags({ ...none, ...given });
}

describe('resourcesFromFlags', () => {
  it('sets nothing that was not given', () => {
    expect(resources({})).toEqual({});
  });

  it('makes the parts of linux.resources', () => {
    expect(
      resources({
        'cpu-quota': '50000',
        'cpuset-cpus': '0-1',
        memory: '64m',
        'memory-swap': '-1',
        'pids-limit': '7',
        'blkio-weight': '100',
      }),
    ).toEqual({
      cpu: { quota: 50000, cpus: '0-1' },
      memory: { limit: 67108864, swap: -1 },
      pids: { limit: 7 },
      blockIO: { weight: 100 },
    });
  });

  it.each([
    [{ 'cpu-quota': '5k' }, '--cpu-quota'],
    [{ 'pids-limit': '' }, '--pids-limit'],
    [{ memory: 'much' }, '--memory'],
  ])('refuses %j and names the flag', (given, flag) => {
    expect(() => resources(given)).toThrow(flag);
  });
});

describe('parseSize', () => {
  it.each([
    ['0', 0],
    ['1024', 1024],
    ['64m', 67108864],
    ['64M', 67108864],
    ['1.5g', 1610612736],
    ['2KiB', 2048],
    ['7b', 7],
    ['-1', -1],
  ])('reads %s', (text, bytes) => {
    expect(parseSize('memory', text)).toBe(bytes);
  });

  it.each(['', '-2', '1x', 'm', '1 2', '9999999t', '0x10'])('refuses %j', (text) => {
    expect(() => parseSize('memory', text)).toThrow('--memory');
  });
});

describe('rdtFromFlags', () => {
  const flags = (...words: string[]) => rdtFromFlags(parseArgs(words, flagTable(UPDATE_FLAGS), { stopAtOperand: false }).values);

  it('takes the schemata that are given', () => {
    expect(flags('--l3-cache-schema', 'L3:0=f;1=f0', '--mem-bw-schema=MB:0=20')).toEqual({
      l3CacheSchema: 'L3:0=f;1=f0',
      memBwSchema: 'MB:0=20',
    });
    expect(flags('--mem-bw-schema', 'MB:0=20')).toEqual({ memBwSchema: 'MB:0=20' });
  });

  it('takes empty ones for none, as runc does', () => {
    expect(flags('--l3-cache-schema=', '--pids-limit', '5')).toEqual({});
  });
});

describe('parseDurationMs', () => {
  it.each([
    ['5s', 5000],
    ['1m30s', 90000],
    ['500ms', 500],
    ['0.5s', 500],
    ['2', 2000],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDurationMs('--interval', text)).toBe(milliseconds);
  });

  it.each(['', 's', '5x', '-5s', '0s'])('refuses %j', (text) => {
    expect(() => parseDurationMs('--interval', text)).toThrow('--interval');
  });
});
