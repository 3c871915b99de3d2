import { parseContainerId } from './container-id.ts';

describe('parseContainerId', () => {
  it.each(['a', '0', 'ctr-1_2+3.4', '.a', 'a.', '...', '-', 'A'.repeat(255)])('takes %s', (id) => {
    expect(parseContainerId(id)).toBe(id);
  });

  it.each(['', '.', '..', 'a/b', '../a', 'a b', 'a\n', 'ä', 'a:b', 'a\0', 'A'.repeat(256)])('refuses %j', (id) => {
    expect(() => parseContainerId(id)).toThrow(
      expect.objectContaining({ code: 'invalid-id', message: expect.stringMatching(/^invalid container ID format/) }),
    );
  });
});
