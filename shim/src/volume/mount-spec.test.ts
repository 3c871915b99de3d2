import { parseMount, parseTmpfs, parseVolume } from './mount-spec.ts';

describe('parseVolume', () => {
  it.each([
    ['/data', { type: 'volume', source: '', target: '/data' }],
    ['cache:/var//cache/', { type: 'volume', source: 'cache', target: '/var/cache' }],
    ['/srv:/data:ro,z', { type: 'bind', source: '/srv', target: '/data', readonly: true, mode: 'ro,z' }],
    ['./x:/data', { type: 'bind', source: '/work/x', target: '/data' }],
    ['/data:ro', { type: 'volume', source: '', target: '/data', readonly: true }],
    ['a:/b:nocopy', { copy: false }],
    ['/a:/b:rshared', { propagation: 'rshared' }],
  ])('reads %s', (text, expected) => {
    expect(parseVolume(text, '/work')).toMatchObject(expected);
  });

  it.each(['', ':', 'a:', 'a:/b:huh', '/a:b', 'a:/b:/c:/d', '/a:/', 'x y:/b', '/a:/b:ro,rw'])('refuses %j', (text) => {
    expect(() => parseVolume(text, '/')).toThrow();
  });
});

describe('parseMount', () => {
  it('reads its fields', () => {
    expect(parseMount('type=bind,src=/a,dst=/b,readonly')).toMatchObject({
      type: 'bind',
      source: '/a',
      target: '/b',
      readonly: true,
      createSource: false,
    });
    expect(parseMount('"source=na-me",target=/x')).toMatchObject({ type: 'volume', source: 'na-me' });
    expect(parseMount('type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770').tmpfsOptions).toBe('size=1m,mode=1770');
  });

  it.each([
    ['type=bind,target=/b', 'source'],
    ['source=a', 'target is required'],
    ['type=npipe,target=/a', 'npipe'],
    ['what=1', "unexpected key 'what'"],
    ['type=bind,source=a,target=/b', 'must be absolute'],
  ])('refuses %s', (text, message) => {
    expect(() => parseMount(text)).toThrow(message);
  });
});

describe('parseTmpfs', () => {
  it('takes options', () => {
    expect(parseTmpfs('/run:size=64m,mode=755')).toMatchObject({ type: 'tmpfs', target: '/run', tmpfsOptions: 'size=64m,mode=755' });
  });
});
