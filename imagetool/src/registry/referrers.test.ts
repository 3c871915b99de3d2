import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { RegistryClient } from './client.ts';
import type { FetchedManifest } from './manifests.ts';
import { listReferrers, pushWithSubject } from './referrers.ts';
import { TestRegistry } from './test-registry.ts';
import { Transport } from './transport.ts';

const registry = new TestRegistry();
const transport = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
let client: RegistryClient;
beforeAll(async () => {
  const host = await registry.start();
  client = new RegistryClient({ host, transport, credentials: async () => undefined });
});
afterAll(async () => {
  await transport.close();
  await registry.stop();
});

function artifact(subject: { mediaType: string }, type: string): FetchedManifest {
  const config = { mediaType: OCI.config, ...registry.putBlob('a', Buffer.from('{}')) };
  const annotations = { from: type };
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI.manifest, artifactType: type, config, layers: [], subject, annotations }),
  );
  return { bytes, descriptor: { mediaType: OCI.manifest, digest: digestOf(bytes), size: bytes.length } };
}

describe.each([false, true])('referrers at a registry (without a list of its own: %s)', (noReferrers) => {
  it('are found, by their type as well', async () => {
    registry.repositories.clear();
    registry.misbehaviour = { noReferrers };
    const config = { mediaType: OCI.config, ...registry.putBlob('a', Buffer.from('{}')) };
    const subject = registry.putManifest('a', '1', OCI.manifest, { schemaVersion: 2, mediaType: OCI.manifest, config, layers: [] });
    expect(await listReferrers(client, 'a', subject.digest)).toEqual([]);
    const [sbom, signature] = [artifact(subject, 'application/sbom'), artifact(subject, 'application/signature')];
    for (const one of [sbom, signature, sbom]) await pushWithSubject(client, 'a', one.descriptor.digest, one);
    const all = await listReferrers(client, 'a', subject.digest);
    expect(all.map((one) => one.digest)).toEqual([sbom.descriptor.digest, signature.descriptor.digest]);
    expect(await listReferrers(client, 'a', subject.digest, 'application/signature')).toMatchObject([
      {
        ...signature.descriptor,
        artifactType: 'application/signature',
        ...(noReferrers ? { annotations: { from: 'application/signature' } } : {}),
      },
    ]);
    const tag = subject.digest.replace(':', '-');
    expect(registry.repository('a').manifests.has(tag)).toBe(noReferrers);
  });
});
