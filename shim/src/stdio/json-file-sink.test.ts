import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonFile } from './json-file-sink.ts';

describe('JsonFile', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsrun-json-file-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const fail = (what?: unknown): never => {
    throw new Error(`unexpected: ${what}`);
  };
  const bytes = (text: string) => new TextEncoder().encode(text);
  const logsOf = (name: string) =>
    readFileSync(join(directory, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).log);

  it('begins a new file when a record does not fit, and keeps so many', async () => {
    const file = new JsonFile({ path: join(directory, 'a.log'), maxSizeBytes: 300, maxFiles: 3, warn: fail });
    const sink = file.sink('stdout');
    const written = new Promise<void>((resolve) => {
      const lines = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join('');
      expect(sink.write(bytes(lines), resolve)).toBe(false);
    });
    await written;
    await sink.close();
    expect(readdirSync(directory).sort()).toEqual(['a.log', 'a.log.1', 'a.log.2']);
    for (const name of readdirSync(directory)) expect(readFileSync(join(directory, name)).length).toBeLessThanOrEqual(300);
    expect(logsOf('a.log.1').concat(logsOf('a.log')).at(-1)).toBe('line 19\n');
  });

  it('has the streams of one process in one file, closed with the last', async () => {
    const file = new JsonFile({ path: join(directory, 'b.log'), maxSizeBytes: 1e6, maxFiles: 1, warn: fail });
    const [out, err] = [file.sink('stdout'), file.sink('stderr')];
    expect(out.write(bytes('no end'), fail)).toBe(true);
    err.write(bytes('error\n'), () => undefined);
    await Promise.all([out.close(), err.close()]);
    expect(logsOf('b.log')).toEqual(['error\n', 'no end']);
  });
});
