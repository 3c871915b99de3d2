/** docker's log format: `{"log":"text\n","stream":"stdout","time":"…"}`, one object a line; a line without its end is text without "\n". Pure. */

export type StreamName = 'stdout' | 'stderr';

/** Longer lines are cut, as docker cuts them: readers join records until one ends in a newline. */
const LONGEST_LINE_BYTES = 16_384;
const NEWLINE = 10;

/** One stream's bytes as records. */
export class JsonLines {
  readonly #stream: StreamName;
  readonly #attributes: { readonly attrs?: Readonly<Record<string, string>> };
  readonly #decoder = new TextDecoder();
  #rest = new Uint8Array(0);

  constructor(stream: StreamName, attributes: Readonly<Record<string, string>> = {}) {
    this.#stream = stream;
    this.#attributes = Object.keys(attributes).length === 0 ? {} : { attrs: attributes };
  }

  /** The records that are complete with `chunk`. @param time RFC 3339 */
  add(chunk: Uint8Array, time: string): string {
    let records = '';
    let start = 0;
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    while (start < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline === -1 ? bytes.length : newline + 1;
      if (end - start > LONGEST_LINE_BYTES) {
        const cut = characterBoundary(bytes, start + LONGEST_LINE_BYTES);
        records += this.#record(bytes.subarray(start, cut), time);
        start = cut;
      } else if (newline === -1) break;
      else {
        records += this.#record(bytes.subarray(start, end), time);
        start = end;
      }
    }
    this.#rest = bytes.slice(start);
    return records;
  }

  /** The record of a last line without an end; '' when there is none. */
  finish(time: string): string {
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    return rest.length === 0 ? '' : this.#record(rest, time);
  }

  #record(bytes: Uint8Array, time: string): string {
    return `${JSON.stringify({ log: this.#decoder.decode(bytes), stream: this.#stream, ...this.#attributes, time })}\n`;
  }
}

/** At or just before `at`: no character of UTF-8 is cut in two. */
function characterBoundary(bytes: Uint8Array, at: number): number {
  for (let position = at; position > at - 4; position--) {
    if (((bytes[position] ?? 0) & 0xc0) !== 0x80) return position;
  }
  return at;
}
