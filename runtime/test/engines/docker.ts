/** dockerd with data, state and socket of its own, tsrun added to its runtimes, and one image: `busybox`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../cli.ts';
import { type Engine, type RuntimeName, runtimePath } from './compare.ts';
import { Enclosure } from './enclosure.ts';
import { makeImage } from './image.ts';

const START_MS = 120_000;

/** @param env of the daemon, and so of its containerd */
export function startDocker(
  runtime: RuntimeName,
  env: Readonly<Record<string, string>> = {},
): { readonly enclosure: Enclosure; readonly engine: Engine } {
  const enclosure = new Enclosure();
  const { directory } = enclosure;
  const socket = join(directory, 'docker.sock');
  const places = [
    '--data-root',
    join(directory, 'docker'),
    '--exec-root',
    '/run/docker',
    '--pidfile',
    '/run/docker.pid',
    '--host',
    `unix://${socket}`,
  ];
  // `docker build` takes the default runtime, `docker run` the one that is named.
  const runtimes = ['--add-runtime', `tsrun=${runtimePath('tsrun')}`, '--default-runtime', runtime];
  const choices = ['--storage-driver', 'vfs', '--exec-opt', 'native.cgroupdriver=cgroupfs', '--log-level', 'error'];
  const engine: Engine = {
    command: (words) => ['docker', '--host', `unix://${socket}`, ...words],
    env: { DOCKER_BUILDKIT: '0', DOCKER_CONFIG: directory },
  };
  enclosure.spawn(['dockerd', ...places, ...runtimes, ...choices], ['ignore', 'ignore', 'ignore'], env);
  until(() => existsSync(socket) && enclosure.run(engine.command(['version'])).status === 0, 'dockerd', START_MS);
  const { status, stderr } = enclosure.run(engine.command(['import', makeImage(directory).tar, 'busybox']));
  if (status !== 0) throw new Error(`docker import: ${stderr}`);
  return { enclosure, engine };
}
