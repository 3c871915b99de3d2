import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, itWith } from '../../.scripts/jest/requirement.ts';
import { cpio, directory, file } from './cpio.mjs';

describe('cpio', () => {
  itWith([command('busybox')], 'is unpacked by others as it was put in', () => {
    const target = mkdtempSync(join(tmpdir(), 'cpio-'));
    try {
      const archive = cpio([
        directory('d'),
        file('d/script', '#!/bin/sh\n', 0o755),
        file('empty', ''),
        file('d/odd', Buffer.from([1, 2, 3, 4, 5])),
      ]);
      execFileSync('busybox', ['cpio', '-i'], { cwd: target, input: archive, stdio: ['pipe', 'ignore', 'ignore'] });
      expect(readFileSync(join(target, 'd/script'), 'utf8')).toBe('#!/bin/sh\n');
      expect(statSync(join(target, 'd/script')).mode & 0o777).toBe(0o755);
      expect(readFileSync(join(target, 'empty'))).toHaveLength(0);
      expect([...readFileSync(join(target, 'd/odd'))]).toEqual([1, 2, 3, 4, 5]);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  });

  it('keeps every header and content at a multiple of four, so that archives can follow each other', () => {
    for (const name of ['a', 'ab', 'abc', 'abcd']) {
      expect(cpio([file(name, name)]).length % 4).toBe(0);
    }
  });
});
