/** The client against Debian's docker-registry: logins of both kinds, TLS by an authority of our own. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createPrivateKey, createSign, randomUUID, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, describeWith } from '../../../.scripts/jest/requirement.ts';
import { OCI } from '../../../specs/image/media-types.ts';
import { digestOf } from '../digest/digest.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import type { Credentials } from './auth.ts';
import { tlsSettings } from './certificates.ts';
import { RegistryClient } from './client.ts';
import { fetchManifest, listRepositories, pushManifest } from './manifests.ts';
import { Transport } from './transport.ts';
import { uploadBlob } from './upload.ts';

let directory: TemporaryDirectory;
let registry: ChildProcess | undefined;
let tokenServer: Server | undefined;
let transport: Transport;
const at = (name: string) => join(directory.path, name);
const login = { username: 'alice', password: 'secret' };

beforeEach(() => {
  directory = temporaryDirectory();
  makeCertificates();
});
afterEach(async () => {
  registry?.kill('SIGKILL');
  tokenServer?.close();
  await transport.close();
  directory[Symbol.dispose]();
});

/** An authority, and a certificate for 127.0.0.1 signed by it. */
function makeCertificates(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory.path, stdio: 'pipe' });
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Test CA', '-days', '2');
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=127.0.0.1');
  writeFileSync(at('extensions'), 'subjectAltName=IP:127.0.0.1\n');
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'server.crt',
    '-days',
    '2',
    '-extfile',
    'extensions',
  );
}

async function start(auth: string): Promise<string> {
  const probe = createSocketServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  const host = `127.0.0.1:${port}`;
  const tls = `tls: {certificate: ${at('server.crt')}, key: ${at('server.key')}}`;
  writeFileSync(
    at('config.yml'),
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${at('data')}}}\nhttp: {addr: "${host}", ${tls}}\n${auth}`,
  );
  registry = spawn('docker-registry', ['serve', at('config.yml')], { stdio: 'ignore' });
  mkdirSync(at(`certs.d/${host}`), { recursive: true });
  writeFileSync(at(`certs.d/${host}/ca.crt`), readFileSync(at('ca.crt')));
  const settings = { directories: [at('certs.d')], isInsecure: () => false };
  transport = new Transport({ tlsFor: (name) => tlsSettings(name, settings), userAgent: 'test', firstWaitMs: 1 });
  for (
    let attempt = 0;
    attempt < 100 && spawnSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`], { stdio: 'ignore' }).status !== 0;
    attempt += 1
  )
    await sleep(50);
  return host;
}

const client = (host: string, credentials?: Credentials) => new RegistryClient({ host, transport, credentials: async () => credentials });

/** Signs tokens for whoever comes with the login, as docker's token servers do (RS256 with the certificate in the header). */
async function startTokenServer(): Promise<string> {
  const key = createPrivateKey(readFileSync(at('ca.key')));
  const certificate = new X509Certificate(readFileSync(at('ca.crt'))).raw.toString('base64');
  tokenServer = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    const wanted = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
    if (request.headers.authorization !== wanted) {
      response.writeHead(401).end();
      return;
    }
    const access = url.searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: 'test', sub: login.username, aud: 'registry', exp: now + 60, nbf: now - 10, iat: now, jti: randomUUID(), access };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${encode({ typ: 'JWT', alg: 'RS256', x5c: [certificate] })}.${encode(claims)}`;
    const token = `${signed}.${createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')}`;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token, expires_in: 60 }));
  });
  const server = tokenServer;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

async function roundTrip(host: string, credentials: Credentials): Promise<void> {
  const user = client(host, credentials);
  await user.ping();
  const config = Buffer.from('{}');
  const blob = { digest: digestOf(config), size: config.length };
  expect(await uploadBlob(user, 'team/app', blob, { open: () => chunks(config) })).toEqual({ kind: 'uploaded' });
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI.manifest, config: { mediaType: OCI.config, ...blob }, layers: [] }),
  );
  const descriptor = { mediaType: OCI.manifest, digest: digestOf(bytes), size: bytes.length };
  await pushManifest(user, 'team/app', '1', { descriptor, bytes });
  expect((await fetchManifest(user, 'team/app', '1')).descriptor).toEqual(descriptor);
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describeWith(['docker-registry', 'openssl', 'htpasswd'].map(command), 'docker-registry over TLS', () => {
  it('lets in who knows the password', async () => {
    writeFileSync(at('htpasswd'), execFileSync('htpasswd', ['-Bbn', login.username, login.password]));
    const host = await start(`auth: {htpasswd: {realm: test, path: ${at('htpasswd')}}}\n`);
    await roundTrip(host, login);
    expect(await listRepositories(client(host, login))).toEqual(['team/app']);
    await expect(client(host).ping()).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(client(host, { ...login, password: 'wrong' }).ping()).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('lets in who has a token', async () => {
    const realm = await startTokenServer();
    const host = await start(`auth: {token: {realm: "${realm}", service: registry, issuer: test, rootcertbundle: ${at('ca.crt')}}}\n`);
    await roundTrip(host, login);
    await expect(client(host, { ...login, password: 'wrong' }).ping()).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('is not trusted without its authority', async () => {
    const host = await start('');
    const stranger = new Transport({ tlsFor: () => ({}), userAgent: 'test', firstWaitMs: 1 });
    const answer = stranger.send({ method: 'GET', url: `https://${host}/v2/` });
    await expect(answer).rejects.toMatchObject({ code: 'unreachable' });
    const untrusting = new RegistryClient({ host, transport: stranger, credentials: async () => undefined });
    await expect(untrusting.ping()).rejects.toThrow(/certificate|SIGNATURE/);
    await stranger.close();
    await client(host).ping();
  });
});
