/**
 * What the host's firewall does for a network: it hides its containers behind the host's address, lets them out, lets in what is published, and keeps networks
 * from each other. Docker's rules, made once for a network and not for each of its containers; CNI's firewall plugin is called only where firewalld rules.
 */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerError } from '../container/errors.ts';

export interface RulesOfNetwork {
  readonly bridge: string;
  readonly subnet: string;
  readonly subnet6?: string;
  /** Nothing of it leaves the bridge, and nothing comes in. */
  readonly internal: boolean;
}

/** Names of bridges begin with it: what goes from one to another goes between two networks. */
export const BRIDGE_PREFIX = 'tsctl';

/** At most 28 characters (XT_EXTENSION_MAXNAMELEN); a bridge's name has at most 15. */
function chainOf(bridge: string): string {
  return `TSCTL-${bridge}`;
}

/** The network's own chains, for iptables-restore --noflush: they are emptied and filled in one step. Exported for its test. */
export function restoreText(network: RulesOfNetwork, subnet = network.subnet): string {
  const { bridge } = network;
  const chain = chainOf(bridge);
  const hide = network.internal ? [] : [`-A ${chain} -s ${subnet} ! -o ${bridge} -j MASQUERADE`];
  return ['*nat', `:${chain} - [0:0]`, ...hide, 'COMMIT', '*filter', `:${chain} - [0:0]`, ...forwarding(network), 'COMMIT', ''].join('\n');
}

function forwarding({ bridge, internal }: RulesOfNetwork): string[] {
  const chain = chainOf(bridge);
  const within = `-A ${chain} -i ${bridge} -o ${bridge} -j ACCEPT`;
  if (internal) return [within, `-A ${chain} -i ${bridge} -j DROP`, `-A ${chain} -o ${bridge} -j DROP`];
  return [
    // Answers, and what has been sent on to a published port, also from another network.
    `-A ${chain} -i ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`,
    `-A ${chain} -o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT`,
    within,
    `-A ${chain} -i ${bridge} -o ${BRIDGE_PREFIX}+ -j DROP`,
    `-A ${chain} -i ${bridge} -j ACCEPT`,
    // What is not published is not to be reached from elsewhere.
    `-A ${chain} -o ${bridge} -j DROP`,
  ];
}

/** Where the host's own chains lead to the network's. */
function jumpsTo(bridge: string): readonly (readonly [table: string, chain: string])[] {
  return [
    ['nat', 'POSTROUTING'],
    ['filter', 'FORWARD'],
  ].map(([table = '', chain = '']) => [table, `${chain} -j ${chainOf(bridge)}`]);
}

/** Made again, they are the same. @throws ContainerError network */
export async function makeHostRules(network: RulesOfNetwork): Promise<void> {
  await makeRules('iptables', network.bridge, restoreText(network));
  if (network.subnet6 !== undefined) await makeRules('ip6tables', network.bridge, restoreText(network, network.subnet6));
}

async function makeRules(tool: Tool, bridge: string, text: string): Promise<void> {
  const restored = await iptables(`${tool}-restore`, ['--wait', '--noflush'], text);
  if (restored.code !== 0) throw failed(`rules for ${bridge}`, restored.stderr);
  for (const [table, rule] of jumpsTo(bridge)) {
    const words = ['--wait', '--table', table];
    if ((await iptables(tool, [...words, '-C', ...rule.split(' ')])).code === 0) continue;
    const inserted = await iptables(tool, [...words, '-I', ...rule.split(' ')]);
    if (inserted.code !== 0) throw failed(`the rule ${rule}`, inserted.stderr);
  }
}

type Tool = 'iptables' | 'ip6tables';

/** What is not there is nothing to take away; without iptables there is nothing. */
export async function removeHostRules({ bridge, subnet6 }: Pick<RulesOfNetwork, 'bridge' | 'subnet6'>): Promise<void> {
  if (!hasIptables()) return;
  for (const tool of subnet6 === undefined ? (['iptables'] as const) : (['iptables', 'ip6tables'] as const)) {
    for (const [table, rule] of jumpsTo(bridge)) {
      const words = ['--wait', '--table', table];
      await iptables(tool, [...words, '-D', ...rule.split(' ')]);
      for (const step of ['-F', '-X']) await iptables(tool, [...words, step, chainOf(bridge)]);
    }
  }
}

function failed(what: string, stderr: string): ContainerError {
  return new ContainerError('network', `${what} could not be made in the host's firewall: ${stderr.trim()}`, {
    hint: 'tsctl calls iptables as docker does; --network host and none need no rules.',
  });
}

/** firewalld drops what it has not been told of itself. */
export function isFirewalldRunning(): boolean {
  return existsSync('/run/firewalld.pid');
}

function hasIptables(): boolean {
  return PATH.split(':').some((directory) => existsSync(join(directory, 'iptables')));
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @throws ContainerError network where there is no such command */
function iptables(
  command: Tool | `${Tool}-restore`,
  words: readonly string[],
  input = '',
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = spawn(command, words, { env: { PATH }, stdio: ['pipe', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error) =>
      reject(
        new ContainerError('network', `${command} could not be run: ${error.message}`, {
          hint: 'Install it: on Debian apt-get install iptables; or use --network host or none.',
          cause: error,
        }),
      ),
    );
    child.on('close', (code) => resolve({ code, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
