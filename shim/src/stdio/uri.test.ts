import { parseStreamTarget } from './uri.ts';

describe('parseStreamTarget', () => {
  it.each([
    ['', { kind: 'null' }],
    ['/a/pipe', { kind: 'fifo', path: '/a/pipe' }],
    ['fifo:///a%20b', { kind: 'fifo', path: '/a b' }],
    ['file:///a+b/log?x', { kind: 'file', path: '/a+b/log' }],
    ['binary:///bin/log?a=1&b&c=x+y%26z', { kind: 'binary', path: '/bin/log', args: ['a', '1', 'b', 'c', 'x y&z'], acknowledged: false }],
    ['binary-v2:///bin/log', { kind: 'binary', path: '/bin/log', args: [], acknowledged: true }],
    ['json-file:///log', { kind: 'json-file', path: '/log', maxSizeBytes: Number.POSITIVE_INFINITY, maxFiles: 1 }],
    ['json-file:///log?max-size=10&max-file=3', { kind: 'json-file', path: '/log', maxSizeBytes: 10, maxFiles: 3 }],
  ])('reads %j', (text, target) => {
    expect(parseStreamTarget(text, 'stdout')).toEqual(target);
  });

  it.each([
    ['relative', 'neither an absolute path nor a URI'],
    ['file://relative', 'names no absolute path'],
    ['gopher:///x', 'scheme'],
    ['file:///%zz', 'not encoded'],
    ['file:///a%00b', 'NUL'],
    ['json-file:///x?max-size=0', 'max-size'],
    ['json-file:///x?max-file=2', 'without max-size'],
    ['json-file:///x?colour=red', 'colour'],
  ])('refuses %j', (text, what) => {
    expect(() => parseStreamTarget(text, 'stdout')).toThrow(what);
  });
});
