/** What --ssh gives: the socket of an agent that runs, or keys, for which the build is the agent. */

import { readFileSync, statSync } from 'node:fs';
import { ImageError } from '../../base/errors.ts';
import { type Identity, identityOf } from './identity.ts';
import { parsePrivateKey } from './private-key.ts';

export type ProvidedAgent = { readonly socket: string } | { readonly identities: readonly Identity[] };

/** No key is as long as this. */
const MAX_KEY_BYTES = 100_000;

/** `paths`: one socket, or files of keys. Throws ImageError `ssh`. */
export function agentOf(paths: readonly string[]): ProvidedAgent {
  const [first = ''] = paths;
  const sockets = paths.filter(isSocket);
  if (sockets.length === 0) return { identities: paths.map(readIdentity) };
  if (paths.length === 1) return { socket: first };
  throw new ImageError(
    'ssh',
    `${sockets[0]} is an agent's socket: it cannot be given together with ${paths.find((one) => one !== sockets[0])}`,
    {
      hint: 'Give one socket, or files of private keys; another agent needs a name of its own: --ssh NAME=SOCKET.',
    },
  );
}

function isSocket(path: string): boolean {
  return reading(path, () => statSync(path)).isSocket();
}

function readIdentity(path: string): Identity {
  const { size } = reading(path, () => statSync(path));
  if (size > MAX_KEY_BYTES) throw new ImageError('ssh', `${path} has ${size} bytes: it is no private key`);
  return identityOf(
    parsePrivateKey(
      reading(path, () => readFileSync(path, 'utf8')),
      path,
    ),
    path,
  );
}

function reading<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw new ImageError('ssh', `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
      hint: '--ssh takes the socket of an agent, or files of private keys.',
    });
  }
}
