/** The warm process: all containers of one namespace of one containerd, until there have been none for a while. */
import { dirname } from 'node:path';
import { call, tryCall } from '../../../runtime/src/linux/call.ts';
import { close, open, unlink } from '../../../runtime/src/linux/files.ts';
import { O_CREAT, O_RDWR } from '../../../runtime/src/linux/open-flags.ts';
import { PR_SET_CHILD_SUBREAPER } from '../../../runtime/src/linux/prctl.ts';
import type { Sys } from '../../../runtime/src/sys/sys.ts';
import { Sandbox } from '../../../specs/containerd/services.ts';
import { TaskV2, TaskV3 } from '../../../specs/containerd/task.ts';
import { Control } from '../base/control.ts';
import { TTRPC_ADDRESS_KEY } from '../base/control-names.ts';
import { implement, type Service } from '../base/service.ts';
import { ServiceTable } from '../base/service-table.ts';
import { StatusCode, StatusError } from '../base/status.ts';
import { VERSION } from '../base/version.ts';
import { parseArguments } from '../bootstrap/arguments.ts';
import { variable } from '../bootstrap/environment.ts';
import { placesOf } from '../bootstrap/places.ts';
import { TSCTL_NAMESPACE } from '../container/places.ts';
import { Forwarder } from '../events/forwarder.ts';
import { LocalEvents } from '../events/local-events.ts';
import { Lifetime } from '../listen/lifetime.ts';
import { Listener } from '../listen/listener.ts';
import type { Supervision } from '../supervise/open.ts';
import { type OpenService, openService } from '../task/open-service.ts';
import { BUNDLE_FOLDER } from './engine.ts';

const LISTENING_FD = 3;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_MODE = 0o600;
const DEFAULT_IDLE_SECONDS = 10;

/** Runs until it ends the process. Everything it says goes to standard error, which `start` has made a file. */
export async function serve(sys: Sys): Promise<void> {
  const words = sys.argv.slice(1);
  const args = parseArguments(words);
  const places = placesOf({ ...args, homeDirectory: variable(sys, 'TSRUN_SHIM_HOME') });
  const log = (text: string): void => {
    process.stderr.write(`${new Date().toISOString()} ${text}\n`);
  };
  logFailures(log);
  // Orphans of containers that share the host's pid namespace, and the inits of adopted ones.
  call(sys, 'prctl', 'PR_SET_CHILD_SUBREAPER', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // Where no containerd is, nobody is to be told but the supervision beside the tasks.
  const isSupervised = args.namespace === TSCTL_NAMESPACE;
  const heard = new LocalEvents();
  const forwarder = isSupervised
    ? undefined
    : new Forwarder({
        ...{ journal: places.journal, namespace: args.namespace, log },
        address: variable(sys, 'TTRPC_ADDRESS') ?? `${args.address}.ttrpc`,
      });
  const tasks = await openService(sys, {
    ...{ publisher: forwarder ?? heard, namespace: args.namespace, warn: log, version: VERSION, bundleFolder: BUNDLE_FOLDER },
    ...{ stateDirectory: places.tasks, runtimeRoot: places.runtimeRoot, keepers: places.home },
    // containerd asks after each container; the process stays for the next one, as long as lifetime lets it.
    shutdown: () => undefined,
  });
  const end = async (): Promise<void> => {
    lifetime.stop();
    await listener.close();
    await tasks.close();
    forwarder?.close();
    process.exit(0);
  };
  const lifetime: Lifetime = new Lifetime({
    ...{
      isEmpty: () => tasks.service.isEmpty && tasks.sandboxes.isEmpty && supervision?.hasWork !== true,
      eventsWaiting: () => forwarder?.waiting ?? 0,
      idleMs: idleMs(sys),
    },
    end: () => {
      const may = removeSocket(sys, places.lock, args.socket);
      if (may) end().catch((error: unknown) => log(textOf(error)));
      return may;
    },
  });
  const taskPair = taskServices(tasks.service, lifetime);
  const supervision = isSupervised ? await openFor(sys, args.address, taskPair.v3, log) : undefined;
  if (supervision !== undefined) heard.listen((event) => supervision.hear(event));
  const services = new ServiceTable([
    ...[taskPair.v2, taskPair.v3, sandboxService(tasks.sandboxes, lifetime), controlService(tasks, lifetime, forwarder)],
    ...(supervision === undefined ? [] : [supervision.service]),
  ]);
  const listener = new Listener(sys, services, { uid: call(sys, 'getuid', ''), log });
  await listener.listen({ fd: LISTENING_FD });
  onSignals(log, end, () => tasks.service.describe());
  log(`serving namespace ${args.namespace} of ${args.address}, process ${process.pid}`);
}

/** Containers of tsctl are supervised by the process that holds them. The address names their data root: see front/shim.ts. */
async function openFor(sys: Sys, address: string, task: Service, warn: (message: string) => void): Promise<Supervision> {
  const { openSupervision } = await import('../supervise/open.ts');
  return await openSupervision({ sys, root: dirname(address), task, warn });
}

function taskServices(service: OpenService['service'], lifetime: Lifetime): { readonly v2: Service; readonly v3: Service } {
  const handlers = service.handlers();
  const released = {
    ...handlers,
    Create: (...[request, running]: Parameters<typeof handlers.Create>) => {
      lifetime.release(request.id);
      return handlers.Create(request, running);
    },
  };
  return { v2: implement(TaskV2, released), v3: implement(TaskV3, released) };
}

function sandboxService(sandboxes: OpenService['sandboxes'], lifetime: Lifetime): Service {
  const handlers = sandboxes.handlers();
  return implement(Sandbox, {
    ...handlers,
    CreateSandbox: (...[request, running]: Parameters<typeof handlers.CreateSandbox>) => {
      lifetime.release(request.sandboxId);
      return handlers.CreateSandbox(request, running);
    },
  });
}

function controlService(tasks: OpenService, lifetime: Lifetime, forwarder: Forwarder | undefined): Service {
  return implement(Control, {
    Hold: async ({ id }, { metadata }) => {
      // Its connection came before the socket was gone: whoever calls starts another process.
      if (lifetime.isOver) throw new StatusError(StatusCode.unavailable, 'the shim is ending');
      // tsctl names none.
      lifetime.hold(id === TSCTL_NAMESPACE ? undefined : id);
      tasks.prepare();
      const address = metadata.get(TTRPC_ADDRESS_KEY);
      if (address) forwarder?.useAddress(address);
      return { shimPid: process.pid, version: VERSION };
    },
  });
}

/** Under the lock of `start`, so that nobody is given the address of a process that is about to end. False: somebody is starting right now. */
function removeSocket(sys: Sys, lock: string, socket: string): boolean {
  const fd = open(sys, lock, { flags: O_RDWR | O_CREAT, mode: LOCK_MODE });
  try {
    if (tryCall(sys, 'flock', fd, LOCK_EX | LOCK_NB) !== 0) {
      return false;
    }
    unlink(sys, socket);
    return true;
  } finally {
    close(sys, fd);
  }
}

function idleMs(sys: Sys): number {
  const seconds = Number(variable(sys, 'TSRUN_SHIM_IDLE_SECONDS') ?? DEFAULT_IDLE_SECONDS);
  return (Number.isFinite(seconds) && seconds >= 0 ? seconds : DEFAULT_IDLE_SECONDS) * 1000;
}

function onSignals(log: (text: string) => void, end: () => Promise<void>, describe: () => string): void {
  process.on('SIGUSR1', () => log(`state: ${describe()}`));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log(`ending on ${signal}; containers go on`);
      end().catch((error: unknown) => log(textOf(error)));
    });
  }
}

/** One container's mistake must not end all the others: it is told, and the process goes on. */
function logFailures(log: (text: string) => void): void {
  process.on('uncaughtException', (error) => log(`internal error: ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (reason) =>
    log(`internal error: ${reason instanceof Error ? (reason.stack ?? reason.message) : reason}`),
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
