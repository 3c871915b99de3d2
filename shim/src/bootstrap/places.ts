/** Where the warm process of a namespace and its files are. The same inputs give the same places, so that everyone finds them without asking. */
import { Fingerprint } from './fingerprint.ts';

/** containerd's own place for sockets of shims: short enough for any. */
const DEFAULT_SOCKET_DIRECTORY = '/run/containerd/s';
const DEFAULT_HOME = '/run/tsrun-shim';

export interface Places {
  /** Directory of everything below but the socket; mode 0700. */
  readonly home: string;
  /** The unix socket of both protocols. */
  readonly socket: string;
  /** Held by flock(2) while a process is started or ends. */
  readonly lock: string;
  /** What the process says. */
  readonly log: string;
  /** Events that containerd has not acknowledged yet. */
  readonly journal: string;
  /** What the Task service knows of its containers. */
  readonly tasks: string;
  /** The runtime's own state; each namespace has a directory in it: `tsrun --root RUNTIME/NAMESPACE list`. */
  readonly runtimeRoot: string;
}

export interface PlaceOptions {
  /** containerd's gRPC socket. */
  readonly address: string;
  readonly namespace: string;
  /** See groupOf; '' or nothing for the whole namespace. */
  readonly group?: string | undefined;
  /** Where containerd 2.3 and newer wants sockets to be, and the namespaces of a user who is not root. */
  readonly socketDirectory?: string | undefined;
  /** Replaces /run/tsrun-shim: for tests, and where /run is no tmpfs. */
  readonly homeDirectory?: string | undefined;
}

export function placesOf({ address, namespace, group = '', socketDirectory, homeDirectory }: PlaceOptions): Places {
  const fingerprint = new Fingerprint().add(address).add(namespace);
  const key = (group === '' ? fingerprint : fingerprint.add(group)).hex();
  const home = `${homeDirectory ?? DEFAULT_HOME}/${key}`;
  return {
    home,
    socket: `${socketDirectory ?? DEFAULT_SOCKET_DIRECTORY}/tsrun-${key}`,
    lock: `${home}/lock`,
    log: `${home}/log`,
    journal: `${home}/events`,
    tasks: `${home}/tasks`,
    runtimeRoot: `${home}/runtime`,
  };
}
