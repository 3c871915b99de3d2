/** The code of each command, loaded when it is called. */

import { ContainerError } from '../container/errors.ts';
import type { Command } from './context.ts';

const LOADERS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  create: async () => (await import('./commands/create.ts')).create,
  start: async () => (await import('./commands/start.ts')).start,
  attach: async () => (await import('./commands/attach.ts')).attach,
  exec: async () => (await import('./commands/exec.ts')).exec,
  ps: async () => (await import('./commands/ps.ts')).ps,
  logs: async () => (await import('./commands/logs.ts')).logs,
  stop: async () => (await import('./commands/stop.ts')).stop,
  kill: async () => (await import('./commands/stop.ts')).kill,
  restart: async () => (await import('./commands/stop.ts')).restart,
  pause: async () => (await import('./commands/pause.ts')).pause,
  unpause: async () => (await import('./commands/pause.ts')).unpause,
  wait: async () => (await import('./commands/wait.ts')).wait,
  rename: async () => (await import('./commands/rename.ts')).rename,
  rm: async () => (await import('./commands/rm.ts')).rm,
  inspect: async () => (await import('./commands/inspect.ts')).inspect,
  'container inspect': async () => (await import('./commands/inspect.ts')).inspectContainers,
  diff: async () => (await import('./commands/diff.ts')).diff,
  commit: async () => (await import('./commands/commit.ts')).commit,
  export: async () => (await import('./commands/export.ts')).exportContainer,
  images: async () => (await import('./commands/images.ts')).images,
  pull: async () => (await import('./commands/transfer.ts')).pull,
  push: async () => (await import('./commands/transfer.ts')).push,
  tag: async () => (await import('./commands/image-work.ts')).tag,
  rmi: async () => (await import('./commands/rmi.ts')).rmi,
  history: async () => (await import('./commands/image-work.ts')).history,
  search: async () => (await import('./commands/image-work.ts')).search,
  build: async () => (await import('./commands/image-work.ts')).build,
  save: async () => (await import('./commands/image-work.ts')).save,
  load: async () => (await import('./commands/image-work.ts')).load,
  import: async () => (await import('./commands/image-work.ts')).importImage,
  login: async () => (await import('./commands/image-work.ts')).login,
  logout: async () => (await import('./commands/image-work.ts')).logout,
  version: async () => (await import('./commands/version.ts')).version,
  port: async () => (await import('./commands/port.ts')).port,
};

export async function commandOf(name: string): Promise<Command> {
  const load = LOADERS[name];
  if (load === undefined) throw new ContainerError('unsupported', `${name} is not there yet`);
  return await load();
}
