import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sessionDirectory } from './places.ts';

describe('sessionDirectory', () => {
  let directory: string;
  const uid = process.getuid?.() ?? 0;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsctl-session-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is the one that the environment names, if it is the user’s alone', () => {
    expect(sessionDirectory(uid, { XDG_RUNTIME_DIR: directory })).toBe(directory);
    expect(() => sessionDirectory(uid + 1, { XDG_RUNTIME_DIR: directory })).toThrow('belongs to somebody else');
    chmodSync(directory, 0o777);
    expect(() => sessionDirectory(uid, { XDG_RUNTIME_DIR: directory })).toThrow('others may write to');
    expect(() => sessionDirectory(uid, { XDG_RUNTIME_DIR: 'here' })).toThrow('no absolute path');
  });

  it('says what to do where there is none', () => {
    const missing = () => sessionDirectory(4_000_000, {});
    expect(missing).toThrow('XDG_RUNTIME_DIR is not set, and /run/user/4000000 is not there');
    expect(missing).toThrow(expect.objectContaining({ code: 'unsupported', hint: expect.stringContaining('enable-linger') }));
  });
});
