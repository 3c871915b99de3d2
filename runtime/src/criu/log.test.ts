import { firstError } from './log.ts';

describe('firstError', () => {
  it('is the reason, without time, process and place', () => {
    const log = `(00.000001) Version: 4.1.1
(00.194758) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
(00.295844)      1: Error (criu/files-reg.c:1790): Can't lookup mount=26 for fd=0 path=/a
(00.295869) Error (criu/cr-dump.c:1681): Dump files (pid: 18997) failed with -1
`;
    expect(firstError(log)).toBe("Can't lookup mount=26 for fd=0 path=/a");
    expect(firstError('Error (criu/vdso.c:381): vdso: Unexpected rt vDSO area bounds')).toBe('vdso: Unexpected rt vDSO area bounds');
    expect(firstError('(00.1) pie: 1: Error (criu/pie/restorer.c:99): no')).toBe('no');
  });

  it('is nothing where there is none', () => {
    expect(firstError('')).toBeUndefined();
    expect(firstError('(00.1) Warn  (criu/x.c:1): Error in a warning')).toBeUndefined();
  });
});
