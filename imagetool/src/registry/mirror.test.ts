import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { readBlob } from './blobs.ts';
import { RegistryClient } from './client.ts';
import { type MirrorHost, parseHostsToml, parseRegistriesConf } from './hosts.ts';
import { fetchManifest } from './manifests.ts';
import { Mirror } from './mirror.ts';
import { TestRegistry } from './test-registry.ts';
import { Transport } from './transport.ts';

let [upstream, mirror]: TestRegistry[] = [];
let transport: Transport;
const layer = Buffer.from('a layer');

beforeEach(async () => {
  [upstream, mirror] = [new TestRegistry(), new TestRegistry()];
  for (const one of [upstream, mirror]) await one.start();
  transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
});
afterEach(async () => {
  await transport.close();
  for (const one of [upstream, mirror]) await one?.stop();
});

function fill(registry: TestRegistry | undefined, repository: string): void {
  const blob = registry?.putBlob(repository, layer);
  registry?.putManifest(repository, '1', OCI.manifest, {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: { mediaType: OCI.config, ...blob },
    layers: [],
  });
}

function clientWith(mirrors: readonly MirrorHost[], more: { isReplaced?: boolean } = {}): RegistryClient {
  return new RegistryClient({
    host: upstream?.host ?? '',
    transport,
    credentials: async () => undefined,
    standIns: mirrors.map((host) => new Mirror(host, transport, async () => undefined)),
    ...more,
  });
}

async function readAll(client: RegistryClient, repository: string): Promise<string> {
  await fetchManifest(client, repository, '1');
  let text = '';
  for await (const chunk of readBlob(client, repository, { digest: digestOf(layer), size: layer.length })) text += String(chunk);
  return text;
}

const contentsAsked = (registry: TestRegistry | undefined) => (registry?.log ?? []).filter((line) => /manifests|blobs/.test(line));

describe('a mirror', () => {
  const hostsToml = (settings = '') => parseHostsToml(`[host."http://${mirror?.host}"]\n${settings}`, 'hosts.toml', 'example.com').mirrors;

  it('is asked before the registry, and told whom it stands for', async () => {
    fill(mirror, 'team/app');
    expect(await readAll(clientWith(hostsToml()), 'team/app')).toBe('a layer');
    expect(contentsAsked(upstream)).toEqual([]);
    expect(contentsAsked(mirror)[0]).toBe('GET /v2/team/app/manifests/1?ns=example.com');
  });

  it('that has not got it, fails or is away is passed over', async () => {
    fill(upstream, 'team/app');
    expect(await readAll(clientWith(hostsToml()), 'team/app')).toBe('a layer');
    if (mirror !== undefined) mirror.misbehaviour = { answer: () => ({ status: 500 }) };
    expect(await readAll(clientWith(hostsToml()), 'team/app')).toBe('a layer');
    const mirrors = hostsToml();
    await mirror?.stop();
    expect(await readAll(clientWith(mirrors), 'team/app')).toBe('a layer');
    mirror = new TestRegistry();
    await mirror.start();
  });

  it('is not asked for tags unless it may resolve them', async () => {
    for (const one of [upstream, mirror]) fill(one, 'team/app');
    await readAll(clientWith(hostsToml('capabilities = ["pull"]')), 'team/app');
    expect([contentsAsked(upstream).length, contentsAsked(mirror).length]).toEqual([1, 1]);
  });

  it('may keep repositories under another name, and take the registry’s place', async () => {
    fill(mirror, 'cache/app');
    const name = `${upstream?.host}/team/app`;
    const conf = `[[registry]]\nprefix = "${upstream?.host}/team"\nlocation = "${mirror?.host}/cache"\n`;
    const { mirrors, isReplaced } = parseRegistriesConf([{ text: conf, file: 'registries.conf' }], name);
    expect(await readAll(clientWith(mirrors, { isReplaced }), 'team/app')).toBe('a layer');
    await expect(readAll(clientWith(mirrors, { isReplaced }), 'team/other')).rejects.toMatchObject({ code: 'not-found' });
    expect(contentsAsked(upstream)).toEqual([]);
  });
});
