import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TemporaryDirectory, temporaryDirectory } from '../store/testing.ts';
import { eraseCredentials, findCredentials, storeCredentials } from './credentials.ts';

let directory: TemporaryDirectory;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory[Symbol.dispose]());

const auth = (login: string) => Buffer.from(login).toString('base64');

function environment(config: object): Record<string, string> {
  writeFileSync(join(directory.path, 'config.json'), JSON.stringify(config));
  return { DOCKER_CONFIG: directory.path, PATH: `${directory.path}:/bin:/usr/bin` };
}

describe('findCredentials', () => {
  it('finds logins by host, whatever spelling docker has given the key', async () => {
    const env = environment({
      auths: {
        'https://index.docker.io/v1/': { auth: auth('hub:p') },
        'https://old.example/v2/': { auth: auth('old:a:b') },
        'new.example:5000': { auth: auth('new:p') },
      },
    });
    expect(await findCredentials(env, 'docker.io')).toEqual({ username: 'hub', password: 'p' });
    expect(await findCredentials(env, 'old.example')).toEqual({ username: 'old', password: 'a:b' });
    expect(await findCredentials(env, 'new.example:5000')).toEqual({ username: 'new', password: 'p' });
    expect(await findCredentials(env, 'new.example')).toBeUndefined();
  });

  it('takes the most special key of containers’ file', async () => {
    const file = join(directory.path, 'auth.json');
    writeFileSync(
      file,
      JSON.stringify({
        auths: { 'h.io': { auth: auth('a:1') }, 'h.io/team': { auth: auth('b:2') }, 'h.io/team/app': { auth: auth('c:3') } },
      }),
    );
    const find = async (path: string) => (await findCredentials({ REGISTRY_AUTH_FILE: file }, 'h.io', path))?.username;
    expect([await find('other/x'), await find('team/x'), await find('team/app')]).toEqual(['a', 'b', 'c']);
  });

  it('asks helpers, and takes their tokens for what they are', async () => {
    const helper = join(directory.path, 'docker-credential-fake');
    writeFileSync(
      helper,
      '#!/bin/sh\nread host\ncase $host in\n  token.io) echo \'{"Username":"<token>","Secret":"t"}\';;\n  known.io) echo \'{"Username":"u","Secret":"s"}\';;\n  *) echo "credentials not found in native keychain"; exit 1;;\nesac\n',
    );
    chmodSync(helper, 0o755);
    const env = environment({ credsStore: 'fake', auths: { 'other.io': { auth: auth('plain:p') } } });
    expect(await findCredentials(env, 'token.io')).toEqual({ identityToken: 't' });
    expect(await findCredentials(env, 'known.io')).toEqual({ username: 'u', password: 's' });
    expect(await findCredentials(env, 'other.io')).toEqual({ username: 'plain', password: 'p' });
    expect(await findCredentials(env, 'nobody.io')).toBeUndefined();
  });

  it('finds nothing where there is no file, and says which one is damaged', async () => {
    expect(await findCredentials({ HOME: directory.path }, 'a.io')).toBeUndefined();
    writeFileSync(join(directory.path, 'config.json'), '{');
    await expect(findCredentials({ DOCKER_CONFIG: directory.path }, 'a.io')).rejects.toThrow(/config\.json cannot be read/);
  });
});

describe('storeCredentials', () => {
  it('keeps what else is in the file, for its owner’s eyes alone', async () => {
    mkdirSync(join(directory.path, 'sub'));
    const env = environment({ HttpHeaders: { a: 'b' }, auths: { 'x.io': { auth: auth('x:y') } } });
    await storeCredentials(env, 'a.io', { username: 'u', password: 'p' });
    expect(await findCredentials(env, 'a.io')).toEqual({ username: 'u', password: 'p' });
    const file = join(directory.path, 'config.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ HttpHeaders: { a: 'b' }, auths: { 'x.io': {} } });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await eraseCredentials(env, 'a.io')).toBe(true);
    expect(await eraseCredentials(env, 'a.io')).toBe(false);
    expect(await findCredentials(env, 'x.io')).toBeDefined();
  });
});
