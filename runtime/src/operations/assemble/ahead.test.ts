import { Ahead } from './ahead.ts';

describe('work done ahead', () => {
  it('is done once', () => {
    let times = 0;
    const work = new Ahead(() => ++times);
    work.begin();
    work.begin();
    expect([work.get(), work.get(), times]).toEqual([1, 1, 1]);
  });

  it('is done when it is asked for, at the latest', () => {
    expect(new Ahead(() => 'done').get()).toBe('done');
  });

  it('fails where its result is asked for', () => {
    const work = new Ahead((): string => {
      throw new RangeError('no');
    });
    expect(() => work.begin()).not.toThrow();
    expect(() => work.get()).toThrow(new RangeError('no'));
  });
});
