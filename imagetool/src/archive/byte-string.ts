/** Byte strings: text with one character per byte, for names that need not be UTF-8. */

const NON_ASCII = /[^\0-\x7f]/;

export function isAscii(bytes: string): boolean {
  return !NON_ASCII.test(bytes);
}

/** The byte string of text in UTF-8. */
export function fromText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Text for people and JSON; bytes that are not UTF-8 become U+FFFD. */
export function toText(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
