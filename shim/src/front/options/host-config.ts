/** Everything that is the host's side of a container, from flags. Pure but for what it is told of the machine. */

import { ContainerError, invalid } from '../../container/errors.ts';
import type { HostConfig, PortBinding } from '../../container/record.ts';
import { parseBytes } from '../../container/size.ts';
import { comparePorts, parseExpose, parsePublish } from '../../network/port-spec.ts';
import type { Arguments } from '../cli/flags.ts';
import { parseDevice, parseSysctls, parseUlimit, refuseUnsupported, resourcesOf, restartPolicyOf } from './limits.ts';
import { logConfigOf } from './log-config.ts';

/** What inspect calls it. */
const RUNTIME = 'tsrun';
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** @throws ContainerError invalid, unsupported */
export function hostConfigOf(args: Arguments): HostConfig {
  refuseUnsupported(args);
  checkRuntime(args.value('runtime'));
  const restart = restartPolicyOf(args.value('restart'));
  if (args.flag('rm') && restart.Name !== 'no') throw invalid('Conflicting options: --restart and --rm');
  return {
    ...resourcesOf(args),
    NetworkMode: networkModeOf(args),
    PortBindings: portBindingsOf(args.values('publish')),
    PublishAllPorts: args.flag('publish-all'),
    RestartPolicy: restart,
    AutoRemove: args.flag('rm'),
    Privileged: args.flag('privileged'),
    ReadonlyRootfs: args.flag('read-only'),
    Init: args.flag('init'),
    LogConfig: logConfigOf(args),
    CapAdd: [...args.values('cap-add')],
    CapDrop: [...args.values('cap-drop')],
    SecurityOpt: [...args.values('security-opt')],
    Dns: [...args.values('dns')].map(checkedAddress),
    DnsOptions: [...args.values('dns-option')],
    DnsSearch: [...args.values('dns-search')],
    ExtraHosts: args.values('add-host').map(checkedHost),
    GroupAdd: [...args.values('group-add')],
    Devices: args.values('device').map(parseDevice),
    Ulimits: args.values('ulimit').map(parseUlimit),
    Sysctls: parseSysctls(args.values('sysctl')),
    ShmSize: args.has('shm-size') ? parseBytes(args.value('shm-size') ?? '') : DEFAULT_SHM_BYTES,
    PidMode: checkedMode(args, 'pid', ['host']),
    IpcMode: checkedMode(args, 'ipc', ['host', 'private', 'shareable', 'none']),
    UTSMode: checkedMode(args, 'uts', ['host']),
    UsernsMode: checkedMode(args, 'userns', ['host', 'auto']),
    CgroupParent: args.value('cgroup-parent') ?? '',
    OomScoreAdj: oomScoreOf(args.value('oom-score-adj')),
    Tmpfs: Object.fromEntries(args.values('tmpfs').map((text) => splitOnce(text, ':'))),
    ContainerIDFile: args.value('cidfile') ?? '',
    Annotations: annotationsOf(args.values('annotation')),
  };
}

export function networksOf(args: Arguments): readonly string[] {
  return [...args.values('network'), ...args.values('net')];
}

function networkModeOf(args: Arguments): string {
  const [first = 'bridge', ...others] = networksOf(args);
  const isAlone = (mode: string) => mode === 'host' || mode === 'none' || mode.startsWith('container:');
  if (others.length > 0 && [first, ...others].some(isAlone)) {
    throw invalid(`conflicting options: network mode "${[first, ...others].find(isAlone)}" cannot be used with other networks`);
  }
  const isOwn = first !== 'host' && !first.startsWith('container:');
  if (!isOwn && (args.has('publish') || args.flag('publish-all')) && first.startsWith('container:')) {
    throw invalid('conflicting options: port publishing and the container type network mode');
  }
  if (first.startsWith('container:') && args.has('hostname')) throw invalid('conflicting options: hostname and the network mode');
  if ((args.has('ip') || args.has('ip6')) && (isAlone(first) || first === 'bridge' || first === 'default')) {
    throw invalid(
      'invalid config for network bridge: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
    );
  }
  return first === 'default' ? 'bridge' : first;
}

/** Container port → bindings, the same container port several times being several bindings. */
export function portBindingsOf(words: readonly string[]): Record<string, PortBinding[]> {
  const bindings: Record<string, PortBinding[]> = {};
  for (const { port, binding } of words.flatMap(parsePublish)) {
    bindings[port] = [...(bindings[port] ?? []), binding];
  }
  return Object.fromEntries(Object.entries(bindings).sort(([a], [b]) => comparePorts(a, b)));
}

/** The image's ports, --expose and what is published. */
export function exposedPortsOf(args: Arguments, image: Readonly<Record<string, object>> | undefined): Record<string, object> {
  const given = [...args.values('expose').flatMap(parseExpose), ...Object.keys(portBindingsOf(args.values('publish')))];
  const ports = [...Object.keys(image ?? {}).flatMap(parseExpose), ...given].sort(comparePorts);
  return Object.fromEntries(ports.map((port) => [port, {}]));
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function checkedMode(args: Arguments, name: string, words: readonly string[]): string {
  const mode = args.value(name) ?? '';
  if (mode === '' || words.includes(mode) || (name !== 'uts' && name !== 'userns' && /^container:.+/.test(mode))) return mode;
  throw invalid(
    `--${name}: invalid ${name.toUpperCase()} mode`,
    `There are ${words.join(', ')}${name === 'pid' || name === 'ipc' ? ', container:NAME' : ''}.`,
  );
}

function checkedAddress(text: string): string {
  if (!/^\d{1,3}(\.\d{1,3}){3}$|^[0-9a-fA-F:]+$/.test(text)) throw invalid(`${text} is not an ip address`, 'In --dns.');
  return text;
}

function checkedHost(text: string): string {
  const [, , address = ''] = /^([^:=]+)[:=](.+)$/.exec(text) ?? [];
  if (address === '') throw invalid(`bad format for add-host: ${JSON.stringify(text)}`, 'Give NAME:ADDRESS.');
  if (address !== 'host-gateway' && !/^\d{1,3}(\.\d{1,3}){3}$|^[0-9a-fA-F:.]+$/.test(address.replace(/^\[|\]$/g, ''))) {
    throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
  return text;
}

function checkRuntime(name: string | undefined): void {
  if (name === undefined || name === '' || name === RUNTIME) return;
  throw new ContainerError('unsupported', `unknown or invalid runtime name: ${name}`, { hint: `There is ${RUNTIME}.` });
}

/** @throws ContainerError invalid */
function annotationsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [key, value] = splitOnce(word, '=');
      if (key === '' || !word.includes('=')) throw invalid(`invalid argument "${word}" for "--annotation" flag: give NAME=VALUE`);
      return [key, value];
    }),
  );
}

function oomScoreOf(text: string | undefined): number {
  const score = Number(text ?? 0);
  if (score < -1000 || score > 1000) throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  return score;
}
