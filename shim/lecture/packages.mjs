// Debian's packages, for containers in namespaces that lead nowhere: asked for outside, by way of a socket in the file system, and only of Debian.
import { createServer, request } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';

const HOST = 'deb.debian.org';
/** Where containers find it, on the gateway of their network. */
export const PACKAGES_PORT = 3142;

/** Whether there is any use in it. @returns {Promise<boolean>} */
export async function arePackagesReachable() {
  try {
    const answer = await fetch(`http://${HOST}/debian/dists/stable/Release`, { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
    return answer.ok;
  } catch {
    return false;
  }
}

/** A proxy for apt, outside. @param {string} path of the socket @returns {Promise<() => void>} ends it */
export async function offerPackages(path) {
  const server = createServer((wanted, answer) => {
    const url = URL.canParse(wanted.url ?? '') ? new URL(wanted.url ?? '') : undefined;
    if (url === undefined || url.protocol !== 'http:' || url.hostname !== HOST || wanted.method !== 'GET') {
      answer.writeHead(403).end(`only ${HOST}\n`);
      return;
    }
    const asked = request(url, { headers: wanted.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    asked.on('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
    answer.on('close', () => asked.destroy());
    asked.end();
  });
  await new Promise((resolve) => server.listen(path, () => resolve(undefined)));
  return () => {
    server.closeAllConnections();
    server.close();
  };
}

/** The way from inside to that socket. @param {string} path @returns {Promise<() => void>} ends it */
export async function relayPackages(path) {
  const server = createTcpServer((client) => {
    const outer = connect(path);
    for (const [one, other] of [
      [client, outer],
      [outer, client],
    ]) {
      one?.on('error', () => other?.destroy());
      if (other) one?.pipe(other);
    }
  });
  server.unref();
  await new Promise((resolve) => server.listen(PACKAGES_PORT, '0.0.0.0', () => resolve(undefined)));
  return () => server.close();
}
