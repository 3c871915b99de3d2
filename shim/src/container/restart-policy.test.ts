import { nextDelayMs, shouldRestart, startsWithSystem } from './restart-policy.ts';

const policy = (Name: 'no' | 'always' | 'on-failure' | 'unless-stopped', MaximumRetryCount = 0) => ({ Name, MaximumRetryCount });

describe('shouldRestart', () => {
  it.each([
    [policy('no'), 1, 0, false, false],
    [policy('always'), 0, 50, false, true],
    [policy('always'), 0, 0, true, false],
    [policy('unless-stopped'), 3, 0, false, true],
    [policy('on-failure'), 0, 0, false, false],
    [policy('on-failure'), 1, 99, false, true],
    [policy('on-failure', 2), 1, 1, false, true],
    [policy('on-failure', 2), 1, 2, false, false],
    [policy('on-failure', 2), 137, 0, true, false],
  ])('%j, exit code %d, after %d restarts, stopped by the user %s: %s', (one, exitCode, restartCount, stoppedByUser, expected) => {
    expect(shouldRestart({ policy: one, exitCode, restartCount, stoppedByUser })).toBe(expected);
  });
});

describe('nextDelayMs', () => {
  it('doubles to a minute, and begins again after a good run', () => {
    const delays = [0];
    for (let count = 0; count < 12; count += 1) delays.push(nextDelayMs(delays.at(-1) ?? 0, 50));
    expect(delays.slice(1, 5)).toEqual([100, 200, 400, 800]);
    expect(delays.at(-1)).toBe(60_000);
    expect(nextDelayMs(60_000, 10_000)).toBe(100);
  });
});

describe('startsWithSystem', () => {
  it('brings back what the user has not stopped', () => {
    expect(startsWithSystem(policy('always'), true)).toBe(true);
    expect(startsWithSystem(policy('unless-stopped'), false)).toBe(true);
    expect(startsWithSystem(policy('unless-stopped'), true)).toBe(false);
    expect(startsWithSystem(policy('on-failure'), false)).toBe(false);
  });
});
