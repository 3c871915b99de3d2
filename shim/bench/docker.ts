/** dockerd with runc, in namespaces and a cgroup of its own, and a client of it. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../../runtime/bench/measure.ts';
import { until } from '../../runtime/test/cli.ts';
import { Enclosure } from '../../runtime/test/engines/enclosure.ts';

const START_MS = 60_000;

export interface Docker {
  readonly command: (...words: string[]) => Command;
  readonly end: () => void;
}

export function findProgram(name: string): string | undefined {
  return ['/usr/local/bin', '/usr/bin', '/usr/sbin'].map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Undefined where there is none, or where it does not start. @param archive a root file system, to be `busybox` */
export function startDocker(archive: string): Docker | undefined {
  const [client, daemon] = [findProgram('docker'), findProgram('dockerd')];
  if (client === undefined || daemon === undefined) return undefined;
  const enclosure = new Enclosure();
  const socket = join(enclosure.directory, 'docker.sock');
  const places = ['--data-root', join(enclosure.directory, 'docker'), '--exec-root', '/run/docker', '--pidfile', '/run/docker.pid'];
  const choices = ['--host', `unix://${socket}`, '--exec-opt', 'native.cgroupdriver=cgroupfs', '--log-level', 'error'];
  const command = (...words: string[]): Command => ({ path: client, args: ['--host', `unix://${socket}`, ...words] });
  const succeeds = (...words: string[]) => enclosure.run([client, ...command(...words).args]).status === 0;
  try {
    enclosure.spawn([daemon, ...places, ...choices], ['ignore', 'ignore', 'ignore']);
    until(() => existsSync(socket) && succeeds('version'), 'dockerd', START_MS);
    if (!succeeds('import', archive, 'busybox') || !succeeds('run', '--rm', 'busybox', 'true'))
      throw new Error('it runs no container here');
    return { command, end: () => enclosure.dispose() };
  } catch (error) {
    process.stdout.write(`docker is not measured: ${error instanceof Error ? error.message : String(error)}\n`);
    enclosure.dispose();
    return undefined;
  }
}
