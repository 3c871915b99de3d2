/** One call of a CNI plugin (CNI specification 1.0, section 2): parameters in the environment, configuration on standard input, JSON on standard output. */

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { ContainerError } from '../container/errors.ts';

export interface PluginCall {
  readonly command: 'ADD' | 'DEL' | 'CHECK';
  readonly containerId: string;
  /** A path; empty for a namespace that is gone. */
  readonly netns: string;
  readonly interfaceName: string;
  readonly args?: string;
  readonly path: readonly string[];
}

export interface PluginConfig {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Plugins finish within milliseconds; one that hangs must not hold up every container. */
const TIMEOUT_MS = 60_000;

/** Returns what the plugin printed, parsed; undefined where it printed nothing. @throws ContainerError network */
export async function callPlugin(call: PluginCall, config: PluginConfig): Promise<unknown> {
  const file = findPlugin(config.type, call.path);
  const { code, stdout, stderr } = await run(file, call, JSON.stringify(config));
  if (code === 0) return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  throw new ContainerError('network', `network plugin ${config.type} failed (${call.command}): ${failure(stdout, stderr)}`);
}

/** @throws ContainerError network, naming the package */
function findPlugin(type: string, path: readonly string[]): string {
  const file = path.map((directory) => join(directory, type)).find(isExecutable);
  if (file !== undefined) return file;
  throw new ContainerError('network', `the CNI plugin "${type}" is not installed (looked in ${path.join(', ')})`, {
    hint: 'Install it: on Debian apt-get install containernetworking-plugins; or use --network host or none.',
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, call: PluginCall, input: string): Promise<Finished> {
  const child = spawn(file, [], {
    env: {
      // bridge, portmap and firewall call iptables.
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      CNI_COMMAND: call.command,
      CNI_CONTAINERID: call.containerId,
      CNI_NETNS: call.netns,
      CNI_IFNAME: call.interfaceName,
      CNI_PATH: call.path.join(':'),
      ...(call.args === undefined ? {} : { CNI_ARGS: call.args }),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    // A plugin that does not read its input ends all the same, and says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The specification says standard error, every plugin says it on standard output. */
function failure(stdout: string, stderr: string): string {
  for (const text of [stdout, stderr]) {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && 'msg' in value) {
        const details = 'details' in value && value.details !== '' ? `: ${String(value.details)}` : '';
        return `${String(value.msg)}${details}`.trim();
      }
    } catch {
      // Not JSON: its text is the message.
    }
  }
  return stderr.trim() || stdout.trim() || 'it said nothing';
}
