import { DEFAULT_DETACH_KEYS, DetachKeys, parseDetachKeys } from './detach-keys.ts';

const keys = () => new DetachKeys(parseDetachKeys(DEFAULT_DETACH_KEYS));
const bytes = (...values: number[]) => Uint8Array.from(values);

describe('DetachKeys', () => {
  it('finds the keys in one chunk and over two, and keeps them back', () => {
    expect(keys().take(bytes(97, 16, 17, 98))).toEqual({ bytes: bytes(97), isDetach: true });
    const over = keys();
    expect(over.take(bytes(97, 16))).toEqual({ bytes: bytes(97), isDetach: false });
    expect(over.take(bytes(17))).toEqual({ bytes: bytes(), isDetach: true });
  });

  it('gives back what was not the keys after all', () => {
    const typed = keys();
    typed.take(bytes(16));
    expect(typed.take(bytes(97)).bytes).toEqual(bytes(16, 97));
    const twice = keys();
    expect(twice.take(bytes(16, 16)).bytes).toEqual(bytes(16));
    expect(twice.take(bytes(17)).isDetach).toBe(true);
  });
});

describe('parseDetachKeys', () => {
  it('reads control characters and letters', () => {
    expect(parseDetachKeys('ctrl-@,x,ctrl-[')).toEqual([0, 120, 27]);
    for (const wrong of ['', 'ctrl-', 'ctrl-pp', 'ctrl-1', 'é']) expect(() => parseDetachKeys(wrong)).toThrow('detach keys');
  });
});
