/** containerd with state and socket of its own. Its shim for runc takes the runtime's path as BinaryName; `ctr` calls that --runc-binary. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../cli.ts';
import { type Engine, type RuntimeName, runtimePath } from './compare.ts';
import { Enclosure } from './enclosure.ts';
import { makeImage } from './image.ts';

const START_MS = 120_000;
/** In the command lines of scenarios: the options of `ctr run` that name the runtime, and the root file system. */
export const RUNTIME_FLAGS = 'RUNTIME-FLAGS';
export const ROOTFS = 'ROOTFS';

export function startContainerd(runtime: RuntimeName): { readonly enclosure: Enclosure; readonly engine: Engine } {
  const enclosure = new Enclosure();
  const { directory } = enclosure;
  const socket = join(directory, 'containerd.sock');
  const settings = join(directory, 'config.toml');
  writeFileSync(
    settings,
    `version = 2
root = "${directory}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${socket}"
`,
  );
  const { rootfs } = makeImage(directory);
  // Without an image there is no PATH, and runc then finds no program.
  const flags = ['--env', 'PATH=/bin', '--runtime', 'io.containerd.runc.v2', '--runc-binary', runtimePath(runtime), '--rootfs'];
  const words = (word: string) => (word === RUNTIME_FLAGS ? flags : [word === ROOTFS ? rootfs : word]);
  const engine: Engine = { command: (line) => ['ctr', '--address', socket, ...line.flatMap(words)] };
  enclosure.spawn(['containerd', '--config', settings, '--log-level', 'error'], 'ignore');
  until(() => enclosure.run(engine.command(['version'])).status === 0, 'containerd', START_MS);
  return { enclosure, engine };
}
