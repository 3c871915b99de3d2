import { afterCheck, healthSettings, STARTING, untilNextCheckMs } from './health.ts';

const result = (ExitCode: number) => ({ Start: '', End: '', ExitCode, Output: '' });
const settings = healthSettings({ Test: ['CMD-SHELL', 'curl', 'localhost'], StartPeriod: 10e9, StartInterval: 2e9, Retries: 2 }, [
  '/bin/sh',
  '-c',
]);

describe('healthSettings', () => {
  it("has docker's defaults for what is not said, and a shell for CMD-SHELL", () => {
    expect(settings).toMatchObject({ command: ['/bin/sh', '-c', 'curl localhost'], intervalMs: 30_000, timeoutMs: 30_000, retries: 2 });
    expect(healthSettings({ Test: ['CMD', 'true'] }, [])).toMatchObject({
      command: ['true'],
      startPeriodMs: 0,
      startIntervalMs: 5_000,
      retries: 3,
    });
  });
});

describe('afterCheck', () => {
  it('does not count failures while it starts, and counts them after that', () => {
    const early = afterCheck(STARTING, result(1), settings, 5_000);
    expect(early).toMatchObject({ Status: 'starting', FailingStreak: 0 });
    const late = afterCheck(early, result(1), settings, 11_000);
    expect(late).toMatchObject({ Status: 'starting', FailingStreak: 1 });
    expect(afterCheck(late, result(1), settings, 12_000)).toMatchObject({ Status: 'unhealthy', FailingStreak: 2 });
  });

  it('is healthy with the first success, from which on failures count at once', () => {
    const healthy = afterCheck(STARTING, result(0), settings, 100);
    expect(healthy.Status).toBe('healthy');
    const once = afterCheck(healthy, result(1), settings, 200);
    expect(once).toMatchObject({ Status: 'healthy', FailingStreak: 1 });
    expect(afterCheck(afterCheck(once, result(1), settings, 300), result(0), settings, 400)).toMatchObject({
      Status: 'healthy',
      FailingStreak: 0,
    });
  });

  it('keeps five results', () => {
    let state = STARTING;
    for (let code = 0; code < 9; code += 1) state = afterCheck(state, result(code), settings, 0);
    expect(state.Log.map(({ ExitCode }) => ExitCode)).toEqual([4, 5, 6, 7, 8]);
  });
});

describe('untilNextCheckMs', () => {
  it('looks more often while it starts', () => {
    expect(untilNextCheckMs(STARTING, settings, 1_000)).toBe(2_000);
    expect(untilNextCheckMs(STARTING, settings, 20_000)).toBe(30_000);
    expect(untilNextCheckMs({ ...STARTING, Status: 'healthy' }, settings, 1_000)).toBe(30_000);
  });
});
