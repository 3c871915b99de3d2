import { needRoot } from './need-root.ts';

describe('needRoot', () => {
  it('lets root through, and tells others what works without', () => {
    expect(() => needRoot(0)).not.toThrow();
    expect(() => needRoot(1000)).toThrow(expect.objectContaining({ code: 'unsupported', hint: expect.stringContaining('sudo') }));
  });
});
