/** The bundle that all runtimes are measured with: `tsrun spec`, busybox, `/bin/true`, and nothing that a peer of today refuses. */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringifyJson } from '../../specs/json/stringify-json.ts';
import type { Config } from '../../specs/runtime/config.ts';
import { defaultConfig } from '../src/spec/default-config.ts';

const APPLETS = ['true', 'sh', 'sleep', 'cat'];

/** Makes a bundle whose process is `args`, and returns its path. */
export function makeBundle(
  directory: string,
  name: string,
  busybox: string,
  args: readonly string[],
  change = (config: Config) => config,
): string {
  const bundle = join(directory, name);
  for (const path of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(join(bundle, 'rootfs', path), { recursive: true });
  copyFileSync(busybox, join(bundle, 'rootfs/bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(bundle, 'rootfs/bin', applet));
  const config = defaultConfig({});
  const { process } = config;
  if (process === undefined) throw new Error('the default configuration has no process');
  const changed = {
    ...config,
    // The peers of a distribution may be of an older version of the specification.
    ociVersion: '1.0.2',
    process: { ...process, terminal: false, args: [...args] },
  };
  writeFileSync(join(bundle, 'config.json'), stringifyJson(change(changed), '\t'));
  return bundle;
}
