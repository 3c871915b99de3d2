import { parseIndexList } from './index-list.ts';

describe('parseIndexList', () => {
  it.each([
    ['', []],
    ['0', [[0, 0]]],
    [
      '0-3,7',
      [
        [0, 3],
        [7, 7],
      ],
    ],
    [
      ' 1 , ,2-2,',
      [
        [1, 1],
        [2, 2],
      ],
    ],
    ['65536', [[65536, 65536]]],
  ])('reads %j', (list, expected) => {
    expect(parseIndexList(list)?.map(({ first, last }) => [first, last])).toEqual(expected);
  });

  it.each(['a', '-1', '1-', '3-1', '1-2-3', '1 - 2', '65537', '0x1', '1.5', '99999999999'])('refuses %j', (list) => {
    expect(parseIndexList(list)).toBeUndefined();
  });
});
