import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('generated code', () => {
  it('is what npm run generate:proto makes of the .proto files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'generated-proto-'));
    try {
      execFileSync(process.execPath, [join(__dirname, '../../.scripts/generate-proto.mjs'), folder], { stdio: 'pipe' });
      const names = readdirSync(folder);
      expect(names).toContain('containerd.js');
      for (const name of names) {
        const committed = readFileSync(join(__dirname, '..', folderOf(name.split('.')[0] ?? ''), 'gen', name), 'utf8');
        expect(readFileSync(join(folder, name), 'utf8') === committed).toBe(true);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 300_000);
});

/** Of the modules of containerd, one has a name of its own. */
function folderOf(name: string): string {
  return name === 'task' ? 'containerd' : name;
}
