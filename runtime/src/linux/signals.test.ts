import { parseSignal, signalName, signalSet } from './signals.ts';

describe('parseSignal', () => {
  it.each([
    ['9', 9],
    ['0', 0],
    ['KILL', 9],
    ['SIGKILL', 9],
    ['sigterm', 15],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-1', 63],
    ['64', 64],
  ])('reads %s', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.each(['', 'NOPE', '65', '-1', '9x', 'SIGSIGKILL', 'RTMIN-1', 'RTMIN+40', 'RTMAX+1', 'constructor', '__proto__'])(
    'refuses %j',
    (text) => {
      expect(parseSignal(text)).toBeUndefined();
    },
  );
});

describe('signalName', () => {
  it('names the common, the real-time and the unknown ones', () => {
    expect([9, 6, 34, 40, 99].map(signalName)).toEqual(['SIGKILL', 'SIGABRT', 'SIGRTMIN+0', 'SIGRTMIN+6', 'signal 99']);
  });
});

describe('signalSet', () => {
  it('has bit n - 1 for signal n', () => {
    expect(signalSet([1, 64])).toBe(1n | (1n << 63n));
  });
});
