/** Every command of tsctl as data: parsing, help and completion come from here. The code of a command is loaded when it is called. */

import type { CommandGrammar, Completion, Flag } from '../cli/flags.ts';
import { CREATE_FLAGS, RESOURCE_FLAGS, RUN_FLAGS } from './create-flags.ts';
import { flag, of } from './flag.ts';
import { IMAGE_COMMANDS } from './image-commands.ts';

const MANY = Number.POSITIVE_INFINITY;

const FORMAT = of('string', 'format', 'Format output using a custom template: "table", "table TEMPLATE", "json" or TEMPLATE');
const FILTER = of('list', 'filter', 'Filter output based on conditions provided', { short: 'f' });
const NO_TRUNC = flag('no-trunc', "Don't truncate output");
const QUIET_IDS = flag('quiet', 'Only display IDs', 'q');
const DETACH_KEYS = of('string', 'detach-keys', 'Override the key sequence for detaching a container');
const TIME = of('int', 'time', 'Seconds to wait before killing the container', { short: 't' });
const TIMEOUT = of('int', 'timeout', 'Seconds to wait before killing the container');
const FORCE_PRUNE = flag('force', 'Do not prompt for confirmation', 'f');

interface Shape {
  readonly least?: number;
  readonly most?: number;
  readonly stopsAtFirst?: boolean;
  readonly completion?: Completion;
  readonly aliases?: readonly string[];
}

function command(name: string, usage: string, summary: string, flags: readonly Flag[], shape: Shape = {}): CommandGrammar {
  const { least = 0, most = 0, ...rest } = shape;
  return { name, usage, summary, flags, least, most, ...rest };
}

/** A command on containers, which docker also has below `container`. */
function container(name: string, usage: string, summary: string, flags: readonly Flag[], shape: Shape = {}): CommandGrammar {
  return command(name, usage, summary, flags, { completion: 'container', aliases: [`container ${name}`], ...shape });
}

const SIGNAL = of('string', 'signal', 'Signal to send to the container', { short: 's' });

const CONTAINER_COMMANDS: readonly CommandGrammar[] = [
  container('run', '[OPTIONS] IMAGE [COMMAND] [ARG...]', 'Create and run a new container from an image', RUN_FLAGS, {
    least: 1,
    most: MANY,
    stopsAtFirst: true,
    completion: 'image',
  }),
  container('create', '[OPTIONS] IMAGE [COMMAND] [ARG...]', 'Create a new container', CREATE_FLAGS, {
    least: 1,
    most: MANY,
    stopsAtFirst: true,
    completion: 'image',
  }),
  container(
    'start',
    '[OPTIONS] CONTAINER [CONTAINER...]',
    'Start one or more stopped containers',
    [flag('attach', 'Attach STDOUT/STDERR and forward signals', 'a'), flag('interactive', "Attach container's STDIN", 'i'), DETACH_KEYS],
    { least: 1, most: MANY },
  ),
  container(
    'attach',
    '[OPTIONS] CONTAINER',
    'Attach local standard input, output, and error streams to a running container',
    [DETACH_KEYS, flag('no-stdin', 'Do not attach STDIN'), flag('sig-proxy', 'Proxy all received signals to the process (default true)')],
    { least: 1, most: 1, completion: 'running' },
  ),
  container(
    'exec',
    '[OPTIONS] CONTAINER COMMAND [ARG...]',
    'Execute a command in a running container',
    [
      flag('detach', 'Detached mode: run command in the background', 'd'),
      DETACH_KEYS,
      of('list', 'env', 'Set environment variables', { short: 'e' }),
      of('list', 'env-file', 'Read in a file of environment variables'),
      flag('interactive', 'Keep STDIN open even if not attached', 'i'),
      flag('privileged', 'Give extended privileges to the command'),
      flag('tty', 'Allocate a pseudo-TTY', 't'),
      of('string', 'user', 'Username or UID (format: "<name|uid>[:<group|gid>]")', { short: 'u' }),
      of('string', 'workdir', 'Working directory inside the container', { short: 'w' }),
    ],
    { least: 2, most: MANY, stopsAtFirst: true, completion: 'running' },
  ),
  container(
    'ps',
    '[OPTIONS]',
    'List containers',
    [
      flag('all', 'Show all containers (default shows just running)', 'a'),
      FILTER,
      FORMAT,
      of('int', 'last', 'Show n last created containers (includes all states) (default -1)', { short: 'n' }),
      flag('latest', 'Show the latest created container (includes all states)', 'l'),
      NO_TRUNC,
      QUIET_IDS,
      flag('size', 'Display total file sizes', 's'),
    ],
    { aliases: ['container ls', 'container list', 'container ps'] },
  ),
  container(
    'logs',
    '[OPTIONS] CONTAINER',
    'Fetch the logs of a container',
    [
      flag('details', 'Show extra details provided to logs'),
      flag('follow', 'Follow log output', 'f'),
      of('string', 'since', 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
      of('string', 'tail', 'Number of lines to show from the end of the logs (default "all")', { short: 'n' }),
      flag('timestamps', 'Show timestamps', 't'),
      of('string', 'until', 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
    ],
    { least: 1, most: 1 },
  ),
  container('stop', '[OPTIONS] CONTAINER [CONTAINER...]', 'Stop one or more running containers', [SIGNAL, TIME, TIMEOUT], {
    least: 1,
    most: MANY,
    completion: 'running',
  }),
  container('kill', '[OPTIONS] CONTAINER [CONTAINER...]', 'Kill one or more running containers', [SIGNAL], {
    least: 1,
    most: MANY,
    completion: 'running',
  }),
  container('restart', '[OPTIONS] CONTAINER [CONTAINER...]', 'Restart one or more containers', [SIGNAL, TIME, TIMEOUT], {
    least: 1,
    most: MANY,
  }),
  container('pause', 'CONTAINER [CONTAINER...]', 'Pause all processes within one or more containers', [], {
    least: 1,
    most: MANY,
    completion: 'running',
  }),
  container('unpause', 'CONTAINER [CONTAINER...]', 'Unpause all processes within one or more containers', [], {
    least: 1,
    most: MANY,
    completion: 'running',
  }),
  container('wait', 'CONTAINER [CONTAINER...]', 'Block until one or more containers stop, then print their exit codes', [], {
    least: 1,
    most: MANY,
  }),
  container('rename', 'CONTAINER NEW_NAME', 'Rename a container', [], { least: 2, most: 2 }),
  container('update', '[OPTIONS] CONTAINER [CONTAINER...]', 'Update configuration of one or more containers', RESOURCE_FLAGS, {
    least: 1,
    most: MANY,
  }),
  container('top', 'CONTAINER [ps OPTIONS]', 'Display the running processes of a container', [], {
    least: 1,
    most: MANY,
    stopsAtFirst: true,
    completion: 'running',
  }),
  container('port', 'CONTAINER [PRIVATE_PORT[/PROTO]]', 'List port mappings or a specific mapping for the container', [], {
    least: 1,
    most: 2,
  }),
  container(
    'cp',
    '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\ttsctl cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
    'Copy files/folders between a container and the local filesystem',
    [
      flag('archive', 'Archive mode (copy all uid/gid information)', 'a'),
      flag('follow-link', 'Always follow symbol link in SRC_PATH', 'L'),
      flag('quiet', 'Suppress progress output during copy', 'q'),
    ],
    { least: 2, most: 2, completion: 'file' },
  ),
  container('diff', 'CONTAINER', "Inspect changes to files or directories on a container's filesystem", [FORMAT], { least: 1, most: 1 }),
  container(
    'commit',
    '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
    "Create a new image from a container's changes",
    [
      of('string', 'author', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', { short: 'a' }),
      of('list', 'change', 'Apply Dockerfile instruction to the created image', { short: 'c' }),
      of('string', 'message', 'Commit message', { short: 'm' }),
      flag('no-pause', 'Do not pause the container during commit'),
      flag('pause', 'Pause container during commit (default true)', 'p'),
    ],
    { least: 1, most: 2 },
  ),
  container(
    'export',
    '[OPTIONS] CONTAINER',
    "Export a container's filesystem as a tar archive",
    [of('string', 'output', 'Write to a file, instead of STDOUT', { short: 'o' })],
    {
      least: 1,
      most: 1,
    },
  ),
  command(
    'inspect',
    '[OPTIONS] NAME|ID [NAME|ID...]',
    'Return low-level information on objects',
    [
      of('string', 'format', 'Format output using a custom template: "json" or TEMPLATE', { short: 'f' }),
      flag('size', 'Display total file sizes if the type is container', 's'),
      of('string', 'type', 'Return JSON for specified type'),
    ],
    { least: 1, most: MANY, completion: 'container' },
  ),
  command(
    'container inspect',
    '[OPTIONS] CONTAINER [CONTAINER...]',
    'Display detailed information on one or more containers',
    [of('string', 'format', 'Format output using a custom template', { short: 'f' }), flag('size', 'Display total file sizes', 's')],
    {
      least: 1,
      most: MANY,
      completion: 'container',
    },
  ),
  container(
    'rm',
    '[OPTIONS] CONTAINER [CONTAINER...]',
    'Remove one or more containers',
    [
      flag('force', 'Force the removal of a running container (uses SIGKILL)', 'f'),
      flag('link', 'Remove the specified link', 'l'),
      flag('volumes', 'Remove anonymous volumes associated with the container', 'v'),
    ],
    { least: 1, most: MANY, aliases: ['container rm', 'container remove'] },
  ),
  container(
    'stats',
    '[OPTIONS] [CONTAINER...]',
    'Display a live stream of container(s) resource usage statistics',
    [
      flag('all', 'Show all containers (default shows just running)', 'a'),
      FORMAT,
      flag('no-stream', 'Disable streaming stats and only pull the first result'),
      NO_TRUNC,
    ],
    { most: MANY, completion: 'running' },
  ),
];

const OTHER_COMMANDS: readonly CommandGrammar[] = [
  command('container prune', '[OPTIONS]', 'Remove all stopped containers', [FORCE_PRUNE, of('list', 'filter', 'Provide filter values')]),
  command('volume ls', '[OPTIONS]', 'List volumes', [FILTER, FORMAT, flag('quiet', 'Only display volume names', 'q')], {
    aliases: ['volume list'],
  }),
  command(
    'volume create',
    '[OPTIONS] [VOLUME]',
    'Create a volume',
    [
      of('string', 'driver', 'Specify volume driver name (default "local")', { short: 'd' }),
      of('list', 'label', 'Set metadata for a volume'),
      of('string', 'name', 'Volume name'),
      of('list', 'opt', 'Set driver specific options', { short: 'o' }),
    ],
    { most: 1 },
  ),
  command(
    'volume inspect',
    '[OPTIONS] VOLUME [VOLUME...]',
    'Display detailed information on one or more volumes',
    [of('string', 'format', 'Format output using a custom template', { short: 'f' })],
    {
      least: 1,
      most: MANY,
      completion: 'volume',
    },
  ),
  command(
    'volume rm',
    '[OPTIONS] VOLUME [VOLUME...]',
    'Remove one or more volumes',
    [flag('force', 'Force the removal of one or more volumes', 'f')],
    {
      least: 1,
      most: MANY,
      completion: 'volume',
      aliases: ['volume remove'],
    },
  ),
  command('volume prune', '[OPTIONS]', 'Remove unused local volumes', [
    flag('all', 'Remove all unused volumes, not just anonymous ones', 'a'),
    FORCE_PRUNE,
    of('list', 'filter', 'Provide filter values'),
  ]),
  command('network ls', '[OPTIONS]', 'List networks', [FILTER, FORMAT, NO_TRUNC, QUIET_IDS], { aliases: ['network list'] }),
  command(
    'network create',
    '[OPTIONS] NETWORK',
    'Create a network',
    [
      of('string', 'driver', 'Driver to manage the Network (default "bridge")', { short: 'd' }),
      of('list', 'gateway', 'IPv4 or IPv6 Gateway for the master subnet'),
      flag('internal', 'Restrict external access to the network'),
      flag('ipv6', 'Enable IPv6 networking'),
      of('string', 'ip-range', 'Allocate container ip from a sub-range'),
      of('list', 'label', 'Set metadata on a network'),
      of('list', 'opt', 'Set driver specific options', { short: 'o' }),
      of('list', 'subnet', 'Subnet in CIDR format that represents a network segment'),
    ],
    { least: 1, most: 1 },
  ),
  command(
    'network inspect',
    '[OPTIONS] NETWORK [NETWORK...]',
    'Display detailed information on one or more networks',
    [of('string', 'format', 'Format output using a custom template', { short: 'f' })],
    {
      least: 1,
      most: MANY,
      completion: 'network',
    },
  ),
  command(
    'network rm',
    'NETWORK [NETWORK...]',
    'Remove one or more networks',
    [flag('force', 'Do not error if the network does not exist', 'f')],
    {
      least: 1,
      most: MANY,
      completion: 'network',
      aliases: ['network remove'],
    },
  ),
  command('network prune', '[OPTIONS]', 'Remove all unused networks', [FORCE_PRUNE, of('list', 'filter', 'Provide filter values')]),
  command(
    'network connect',
    '[OPTIONS] NETWORK CONTAINER',
    'Connect a container to a network',
    [of('list', 'alias', 'Add network-scoped alias for the container'), of('string', 'ip', 'IPv4 address')],
    {
      least: 2,
      most: 2,
      completion: 'network',
    },
  ),
  command(
    'network disconnect',
    '[OPTIONS] NETWORK CONTAINER',
    'Disconnect a container from a network',
    [flag('force', 'Force the container to disconnect from a network', 'f')],
    {
      least: 2,
      most: 2,
      completion: 'network',
    },
  ),
  command(
    'events',
    '[OPTIONS]',
    'Get real time events from the server',
    [
      FILTER,
      FORMAT,
      of('string', 'since', 'Show all events created since timestamp'),
      of('string', 'until', 'Stream events until this timestamp'),
    ],
    { aliases: ['system events'] },
  ),
  command('system df', '[OPTIONS]', 'Show disk usage', [FORMAT, flag('verbose', 'Show detailed information on space usage', 'v')]),
  command('system prune', '[OPTIONS]', 'Remove unused data', [
    flag('all', 'Remove all unused images not just dangling ones', 'a'),
    of('list', 'filter', 'Provide filter values'),
    FORCE_PRUNE,
    flag('volumes', 'Prune anonymous volumes'),
  ]),
  command('system start', '', 'Start the containers whose restart policy says so, after the machine was down', []),
  command('system systemd-unit', '', 'Print a systemd unit that runs `tsctl system start` at boot', []),
  command(
    'info',
    '[OPTIONS]',
    'Display system-wide information',
    [of('string', 'format', 'Format output using a custom template', { short: 'f' })],
    {
      aliases: ['system info'],
    },
  ),
  command('version', '[OPTIONS]', 'Show the version information', [
    of('string', 'format', 'Format output using a custom template', { short: 'f' }),
  ]),
  command('completion', 'bash|zsh', 'Print a script that completes commands, flags and names', [], {
    least: 1,
    most: 1,
    completion: ['bash', 'zsh'],
  }),
];

export const COMMANDS: readonly CommandGrammar[] = [...CONTAINER_COMMANDS, ...IMAGE_COMMANDS, ...OTHER_COMMANDS];

/** The command that the words begin with, and the words after its name. */
export function findCommand(words: readonly string[]): { readonly grammar: CommandGrammar; readonly rest: readonly string[] } | undefined {
  for (const count of [2, 1]) {
    const name = words.slice(0, count).join(' ');
    const grammar = COMMANDS.find((one) => one.name === name || one.aliases?.includes(name) === true);
    if (words.length >= count && grammar !== undefined) return { grammar, rest: words.slice(count) };
  }
  return undefined;
}
