import { parseToml } from './toml.ts';

const plain = (text: string): unknown => JSON.parse(JSON.stringify(parseToml(text, 'test')));

describe('parseToml', () => {
  it('reads tables with quoted keys, as in hosts.toml', () => {
    const text = `
server = "https://registry-1.docker.io"   # the registry itself

[host."https://mirror.example:5000/v2/proxy"]
  capabilities = ["pull", "resolve"]
  client = [["/a.cert", "/a.key"],]
  skip_verify = true
  [host."https://mirror.example:5000/v2/proxy".header]
    x-one = ["1", '2\\']
`;
    expect(plain(text)).toEqual({
      server: 'https://registry-1.docker.io',
      host: {
        'https://mirror.example:5000/v2/proxy': {
          capabilities: ['pull', 'resolve'],
          client: [['/a.cert', '/a.key']],
          skip_verify: true,
          header: { 'x-one': ['1', '2\\'] },
        },
      },
    });
  });

  it('reads arrays of tables, and tables in their last element, as in registries.conf', () => {
    const text = `
unqualified-search-registries = [
  'docker.io', # first
]
[[registry]]
prefix = "example.com/a"
[[registry.mirror]]
location = "one"
[[registry.mirror]]
location = "two"
[[registry]]
location = "b"
blocked = false
`;
    expect(plain(text)).toEqual({
      'unqualified-search-registries': ['docker.io'],
      registry: [
        { prefix: 'example.com/a', mirror: [{ location: 'one' }, { location: 'two' }] },
        { location: 'b', blocked: false },
      ],
    });
  });

  it.each([
    ['a."b c".d = 1_000', { a: { 'b c': { d: 1000 } } }],
    ['a = { b = "x", c.d = [1, 2] }', { a: { b: 'x', c: { d: [1, 2] } } }],
    ['a = "\\u00e9\\t\\"\\\\"', { a: 'é\t"\\' }],
    ['a = """\none \\\n   two"""', { a: 'one two' }],
    ["a = '''\n\\n'''", { a: '\\n' }],
    ['a = 1979-05-27', { a: '1979-05-27' }],
    ['__proto__ = 1', JSON.parse('{"__proto__":1}')],
  ])('reads %j', (text, expected) => {
    expect(plain(text)).toEqual(expected);
  });

  it.each([
    ['a = 1\na = 2', /line 2: "a" is given twice/],
    ['a = "x', /not closed/],
    ['[a', /"\]" is missing/],
    ['a 1', /"=" is missing/],
    ['a = 1 b', /unexpected "b"/],
    ['a = 1\n[a]', /"a" is no table/],
    ['a = [1 2]', /array is not closed/],
    ['a = "\\q"', /no escape/],
  ])('refuses %j', (text, problem) => {
    expect(() => parseToml(text, 'test')).toThrow(problem);
  });
});
