import { isAnyTentative } from './settled-address.ts';

it('an interface has a tentative address', () => {
  const line = (flags: string, name: string) => `fd000007000000000000000000000001 02 40 00 ${flags} ${name.padStart(8)}\n`;
  expect(isAnyTentative(line('80', 'br0') + line('c0', 'br0'), 'br0')).toBe(true);
  expect(isAnyTentative(line('80', 'br0') + line('40', 'br1'), 'br0')).toBe(false);
  expect(isAnyTentative('', 'br0')).toBe(false);
});
