import { checkLogTag, logAttributes } from './log-attributes.ts';

const record = {
  Id: 'abcdef0123456789abcd',
  Name: 'web',
  Image: 'sha256:112233445566778899',
  Config: { Image: 'nginx', Env: ['A=1', 'APP_B=2', 'APP_C=x=y'], Labels: { tier: 'front', other: 'no' } },
};

describe('logAttributes', () => {
  it.each([
    [{}, {}],
    [{ labels: 'tier,missing' }, { tier: 'front' }],
    [
      { env: 'A', 'env-regex': '^APP_' },
      { A: '1', APP_B: '2', APP_C: 'x=y' },
    ],
    [{ tag: '{{.Name}}/{{ .ID }}/{{.ImageID}}' }, { tag: 'web/abcdef012345/112233445566' }],
  ])('%j', (options, expected) => {
    expect(logAttributes(record, options)).toEqual(expected);
  });
});

describe('checkLogTag', () => {
  it('takes fields that there are', () => {
    expect(() => checkLogTag('a {{.Name}}')).not.toThrow();
    expect(() => checkLogTag('{{.Nothing}}')).toThrow('has no field .Nothing');
    expect(() => checkLogTag('{{if .Name}}x{{end}}')).toThrow('fields only');
  });
});
