import { parseImageConfig } from './config.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const least = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } };

describe('parseImageConfig', () => {
  it('keeps fields it does not know', () => {
    const value = { 'moby.buildkit.cache.v0': 'x', ...least, config: { Cmd: ['sh'], OpenStdin: false } };
    expect(JSON.stringify(parseImageConfig(bytes(value)))).toBe(JSON.stringify(value));
  });

  it('takes docker’s nulls for absent fields', () => {
    const { config } = parseImageConfig(bytes({ ...least, config: { Cmd: null, Entrypoint: null, Volumes: null, Env: ['A=b'] } }));
    expect(config).toEqual({ Env: ['A=b'] });
  });

  it.each([
    [{ ...least, os: undefined }, /os: is missing/],
    [{ ...least, rootfs: { type: 'other', diff_ids: [] } }, /rootfs\.type/],
    [{ ...least, created: 'yesterday' }, /RFC 3339/],
    [{ ...least, config: { Env: ['=x'] } }, /config\.Env\[0\]/],
    [{ ...least, config: { Cmd: 'sh' } }, /config\.Cmd: expected a list/],
  ])('refuses %j', (value, message) => {
    expect(() => parseImageConfig(bytes(value))).toThrow(message);
  });
});
