import { JsonLines } from './json-lines.ts';

const TIME = '2026-01-02T03:04:05.678Z';
const bytes = (text: string) => new TextEncoder().encode(text);
const logs = (records: string): string[] =>
  records
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).log);

describe('JsonLines', () => {
  it('is one object a line', () => {
    expect(new JsonLines('stderr').add(bytes('a "b"\nc\n'), TIME)).toBe(
      `{"log":"a \\"b\\"\\n","stream":"stderr","time":"${TIME}"}\n{"log":"c\\n","stream":"stderr","time":"${TIME}"}\n`,
    );
  });

  it('keeps a line until its end comes, or the stream ends', () => {
    const lines = new JsonLines('stdout');
    expect(lines.add(bytes('ab'), TIME)).toBe('');
    expect(logs(lines.add(bytes('c\nd'), TIME))).toEqual(['abc\n']);
    expect(logs(lines.finish(TIME))).toEqual(['d']);
    expect(lines.finish(TIME)).toBe('');
  });

  it('does not cut a character that comes in two parts', () => {
    const lines = new JsonLines('stdout');
    const [first = 0, ...rest] = bytes('ü\n');
    expect(lines.add(Uint8Array.of(first), TIME)).toBe('');
    expect(logs(lines.add(Uint8Array.from(rest), TIME))).toEqual(['ü\n']);
  });

  it('cuts long lines between characters', () => {
    const text = `${'x'.repeat(16_383)}ü${'y'.repeat(20_000)}\n`;
    const parts = logs(new JsonLines('stdout').add(bytes(text), TIME));
    expect(parts.join('')).toBe(text);
    expect(parts).toHaveLength(3);
    expect(parts[0]).toBe('x'.repeat(16_383));
    expect(parts.every((part) => bytes(part).length <= 16_384)).toBe(true);
  });

  it('has something for bytes that are no text', () => {
    expect(logs(new JsonLines('stdout').add(Uint8Array.of(0xff, 10), TIME))).toEqual(['\ufffd\n']);
  });
});
