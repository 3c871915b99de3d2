/**
 * Commands of a user who is not root: they run once more as the root of the user's namespaces, where everything is as it is for root. This process becomes that
 * one, so that terminals, signals and exit codes are its own.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defaultRoot } from '../../../imagetool/src/store/default-root.ts';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { stringVector } from '../../../runtime/src/linux/libc.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { containerIds, writtenState } from '../container/containers.ts';
import { ContainerError } from '../container/errors.ts';
import { type Places, placesAt } from '../container/places.ts';
import { ensureHolder, type Holder } from '../rootless/holder.ts';
import { rootlessPlaces, sessionDirectory } from '../rootless/places.ts';
import { DIRECTORY_VARIABLE } from './grammar/rootless-commands.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Does not return. @throws ContainerError unsupported */
export async function continueInNamespaces(root: string | undefined, env: Environment): Promise<never> {
  const session = rootlessPlaces(sessionDirectory(process.geteuid?.() ?? 0, env));
  const data = placesAt(root ?? defaultRoot({ uid: process.geteuid?.() ?? 0, env }));
  const { createNodeSys } = await import('../../../runtime/src/sys/node.ts');
  const sys = createNodeSys();
  const holder = await ensureHolder(sys, session, supervisors(data));
  const words = ['--target', String(holder.pid), '--user', '--mount', '--preserve-credentials', '--'];
  become(sys, findProgram('nsenter'), [...words, process.execPath, ...process.execArgv, process.argv[1] ?? '', ...process.argv.slice(2)], {
    ...env,
    TSCTL_ROOT: data.root,
    [DIRECTORY_VARIABLE]: process.cwd(),
    XDG_RUNTIME_DIR: session.session,
    TSRUN_SHIM_HOME: env['TSRUN_SHIM_HOME'] ?? session.shimHome,
    TSRUN_SHIM_SOCKETS: session.shimSockets,
  });
}

/** Shims of the data root that hold containers now. */
function supervisors(places: Places): Holder[] {
  return containerIds(places).flatMap((id) => {
    const { supervisor } = writtenState(places, id);
    return supervisor === undefined ? [] : [supervisor];
  });
}

const DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/run/current-system/sw/bin'];

function findProgram(name: string): string {
  const found = DIRECTORIES.map((directory) => join(directory, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ContainerError('unsupported', `${name} is not installed, and containers of a user need it`, {
    hint: 'Install the package util-linux.',
  });
}

const F_SETFD = 2;

/** execve(2): other threads end with the old program. Node marks its standard streams close-on-exec. */
function become(sys: Sys, path: string, args: readonly string[], env: Environment): never {
  const environ = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  for (const fd of [0, 1, 2]) tryCall(sys, 'fcntl', fd, F_SETFD, 0);
  call(sys, 'execve', path, path, stringVector(sys, [path, ...args]), stringVector(sys, environ));
  throw new Error(`${path} was not executed`);
}
