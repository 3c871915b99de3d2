import { parseHostsToml, parseRegistriesConf } from './hosts.ts';

describe('parseHostsToml', () => {
  const parse = (text: string) => parseHostsToml(text, '/etc/certs.d/example.com/hosts.toml', 'example.com');

  it('reads mirrors in their order, with what they may be asked for', () => {
    const { mirrors, server } = parse(`
server = "https://real.example.com"
[host."http://localhost:5001"]
[host."https://mirror.example.com/v2/cache"]
  capabilities = ["pull"]
  override_path = true
  ca = "ca.crt"
  client = [["a.cert", "/keys/a.key"]]
  [host."https://mirror.example.com/v2/cache".header]
    X-Team = "one"
`);
    expect(server).toBe('https://real.example.com');
    expect(mirrors).toMatchObject([
      { host: 'localhost:5001', scheme: 'http', apiPath: '/v2', namespace: 'example.com', capabilities: new Set(['pull', 'resolve']) },
      {
        host: 'mirror.example.com',
        scheme: 'https',
        apiPath: '/v2/cache',
        capabilities: new Set(['pull']),
        headers: { 'x-team': 'one' },
        caFiles: ['/etc/certs.d/example.com/ca.crt'],
        client: { cert: '/etc/certs.d/example.com/a.cert', key: '/keys/a.key' },
      },
    ]);
  });

  it('puts /v2 after a path that does not hold it', () => {
    const paths = parse('[host."https://a/x"]\n[host."https://b/v2/x/"]\n[host."https://c/x"]\noverride_path = true\n').mirrors;
    expect(paths.map((one) => one.apiPath)).toEqual(['/x/v2', '/v2/x', '/x']);
  });

  it('says which file is wrong', () => {
    expect(() => parse('server = "https://:bad"')).toThrow('/etc/certs.d/example.com/hosts.toml: "https://:bad" is not a URL');
  });
});

describe('parseRegistriesConf', () => {
  const parse = (name: string, ...texts: string[]) =>
    parseRegistriesConf(
      texts.map((text, at) => ({ text, file: `${at}.conf` })),
      name,
    );
  const conf = `
[[registry]]
location = "example.com"
insecure = true
[[registry.mirror]]
location = "mirror.local:5000/proxy"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "example.com/team"
location = "other.example/moved"
[[registry]]
prefix = "*.internal"
location = "internal.example"
[[registry]]
location = "bad.example"
blocked = true
`;

  it('finds the mirrors of a registry, and where its repositories are there', () => {
    expect(parse('example.com/app', conf)).toMatchObject({
      isInsecure: true,
      isReplaced: false,
      mirrors: [{ host: 'mirror.local:5000', repositories: { from: '', to: 'proxy' }, capabilities: new Set(['pull']) }],
    });
  });

  it('takes the longest prefix, at the border of a name', () => {
    expect(parse('example.com/team/app', conf)).toMatchObject({
      isReplaced: true,
      mirrors: [{ host: 'other.example', repositories: { from: 'team', to: 'moved' } }],
    });
    expect(parse('example.com/teams', conf).isReplaced).toBe(false);
    expect(parse('a.internal/x', conf).mirrors).toMatchObject([{ host: 'internal.example', repositories: { from: '', to: '' } }]);
    expect(parse('elsewhere.org/x', conf).mirrors).toEqual([]);
  });

  it('lets a later file say it anew, and refuses what is blocked', () => {
    const later = '[[registry]]\nlocation = "example.com"\n';
    expect(parse('example.com/app', conf, later).mirrors).toEqual([]);
    expect(() => parse('bad.example/x', conf)).toThrow('0.conf blocks bad.example');
  });
});
