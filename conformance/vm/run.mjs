// node conformance/vm/run.mjs [OPTION]… -- COMMAND [ARGUMENT]…
import { parseArgs } from 'node:util';
import { runGuest } from './guest.mjs';

const USAGE = `Usage: node conformance/vm/run.mjs [OPTION]… -- COMMAND [ARGUMENT]…

Runs a command as root in a guest kernel whose files are those of this machine, in the same folder and environment,
with a unified cgroup hierarchy at /sys/fs/cgroup. What it writes is gone with the guest.

  --writable DIR     what is written below DIR stays; may be repeated
  --systemd          systemd is process 1, and the command a service of it
  --timeout SECONDS  default 600
  --memory MIB       default: half of what is free, 4096 at most
  --cpus N           default 1
  --console          the guest's console on standard error, at the end

Exit status: the command's; 124 time out; 125 there can be no guest here, or it died, and why
`;
const DEFAULT_TIMEOUT_SECONDS = 600;
const EXIT_USAGE = 2;
const EXIT_TIMEOUT = 124;
const EXIT_NO_GUEST = 125;

class UsageError extends Error {}

/** @returns {import('./guest.mjs').Job & { console: boolean } | undefined} undefined: only help is wanted */
function readArguments() {
  const { values, positionals } = parse();
  if (values.help) {
    return undefined;
  }
  if (positionals.length === 0) {
    throw new UsageError('a command is missing');
  }
  return {
    command: positionals,
    systemd: values.systemd,
    writable: values.writable,
    timeoutSeconds: number('timeout', values.timeout) ?? DEFAULT_TIMEOUT_SECONDS,
    memoryMiB: number('memory', values.memory),
    cpus: number('cpus', values.cpus),
    console: values.console,
  };
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        writable: { type: 'string', multiple: true, default: [] },
        systemd: { type: 'boolean', default: false },
        timeout: { type: 'string' },
        memory: { type: 'string' },
        cpus: { type: 'string' },
        console: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @param {string} name @param {string | undefined} text */
function number(name, text) {
  if (text !== undefined && !/^[1-9]\d*$/.test(text)) {
    throw new UsageError(`--${name} takes a number from 1, not ${JSON.stringify(text)}`);
  }
  return text === undefined ? undefined : Number(text);
}

async function main() {
  const job = readArguments();
  if (job === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const end = await runGuest(job);
  if (job.console) {
    process.stderr.write(end.console);
  }
  if (end.status === undefined) {
    console.error(end.problem);
    return end.timedOut ? EXIT_TIMEOUT : EXIT_NO_GUEST;
  }
  return end.status;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    const message = error instanceof Error ? error.message : String(error);
    console.error(error instanceof UsageError ? `${message}\n\n${USAGE}` : message);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_NO_GUEST;
  },
);
