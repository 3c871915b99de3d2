/** Commands on images and registries: docker's flags; the work is tsimg's. */

import type { CommandGrammar, Completion, Flag } from '../cli/flags.ts';
import { flag, of } from './flag.ts';

const MANY = Number.POSITIVE_INFINITY;

interface Shape {
  readonly least?: number;
  readonly most?: number;
  readonly completion?: Completion;
  readonly aliases?: readonly string[];
}

function command(name: string, usage: string, summary: string, flags: readonly Flag[], shape: Shape = {}): CommandGrammar {
  const { least = 0, most = 0, ...rest } = shape;
  return { name, usage, summary, flags, least, most, aliases: [`image ${name}`], ...rest };
}

const PLATFORM = of('string', 'platform', 'Platform, as in linux/arm64');
const QUIET = flag('quiet', 'Suppress verbose output', 'q');
const FORMAT = of('string', 'format', 'Format output using a custom template: "table", "table TEMPLATE", "json" or TEMPLATE');
const NO_TRUNC = flag('no-trunc', "Don't truncate output");

export const IMAGE_COMMANDS: readonly CommandGrammar[] = [
  command(
    'images',
    '[OPTIONS] [REPOSITORY[:TAG]]',
    'List images',
    [
      flag('all', 'Show all images (default hides intermediate images)', 'a'),
      flag('digests', 'Show digests'),
      of('list', 'filter', 'Filter output based on conditions provided', { short: 'f' }),
      FORMAT,
      NO_TRUNC,
      flag('quiet', 'Only show image IDs', 'q'),
    ],
    { most: 1, completion: 'image', aliases: ['image ls', 'image list'] },
  ),
  command(
    'pull',
    '[OPTIONS] NAME[:TAG|@DIGEST]',
    'Download an image from a registry',
    [flag('all-tags', 'Download all tagged images in the repository', 'a'), PLATFORM, QUIET],
    {
      least: 1,
      most: 1,
      completion: 'image',
    },
  ),
  command(
    'push',
    '[OPTIONS] NAME[:TAG]',
    'Upload an image to a registry',
    [flag('all-tags', 'Push all tags of an image to the repository', 'a'), PLATFORM, QUIET],
    {
      least: 1,
      most: 1,
      completion: 'image',
    },
  ),
  command('tag', 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]', 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE', [], {
    least: 2,
    most: 2,
    completion: 'image',
  }),
  command(
    'rmi',
    '[OPTIONS] IMAGE [IMAGE...]',
    'Remove one or more images',
    [flag('force', 'Force removal of the image', 'f'), flag('no-prune', 'Do not delete untagged parents')],
    {
      least: 1,
      most: MANY,
      completion: 'image',
      aliases: ['image rm', 'image remove'],
    },
  ),
  command(
    'history',
    '[OPTIONS] IMAGE',
    'Show the history of an image',
    [FORMAT, flag('human', 'Print sizes and dates in human readable format (default true)', 'H'), NO_TRUNC, QUIET],
    { least: 1, most: 1, completion: 'image' },
  ),
  command(
    'search',
    '[OPTIONS] TERM',
    'Search Docker Hub for images',
    [
      of('list', 'filter', 'Filter output based on conditions provided', { short: 'f' }),
      FORMAT,
      of('int', 'limit', 'Max number of search results'),
      NO_TRUNC,
    ],
    {
      least: 1,
      most: 1,
      aliases: [],
    },
  ),
  command(
    'build',
    '[OPTIONS] PATH | URL | -',
    'Build an image from a Dockerfile',
    [
      of('list', 'add-host', 'Add a custom host-to-IP mapping (host:ip)'),
      of('list', 'build-arg', 'Set build-time variables'),
      of('list', 'build-context', 'Additional build contexts (e.g., name=path)'),
      of('list', 'cache-from', 'External cache sources'),
      of('list', 'cache-to', 'Cache export destinations'),
      flag('check', 'Only check the Dockerfile'),
      of('string', 'file', 'Name of the Dockerfile (default: "PATH/Dockerfile")', { short: 'f' }),
      flag('force-rm', 'Always remove intermediate containers'),
      of('string', 'iidfile', 'Write the image ID to a file'),
      of('list', 'label', 'Set metadata for an image'),
      of('bytes', 'memory', 'Memory limit', { short: 'm' }),
      of('string', 'network', 'Set the networking mode for the RUN instructions during build'),
      flag('no-cache', 'Do not use cache when building the image'),
      of('list', 'output', 'Output destination (format: "type=local,dest=path")', { short: 'o' }),
      PLATFORM,
      of('string', 'progress', 'Set type of progress output ("auto", "plain", "tty", "rawjson", "quiet", "classic")'),
      flag('pull', 'Always attempt to pull all referenced images'),
      flag('quiet', 'Suppress the build output and print image ID on success', 'q'),
      flag('rm', 'Remove intermediate containers after a successful build (default true)'),
      of('list', 'secret', 'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")'),
      of('bytes', 'shm-size', 'Shared memory size for build containers'),
      flag('squash', 'Squash newly built layers into a single new layer'),
      of('list', 'ssh', 'SSH agent socket or keys to expose to the build'),
      of('list', 'tag', 'Name and optionally a tag (format: "name:tag")', { short: 't' }),
      of('string', 'target', 'Set the target build stage to build'),
      of('list', 'ulimit', 'Ulimit options'),
    ],
    { least: 1, most: 1, completion: 'file', aliases: ['image build', 'builder build', 'buildx build'] },
  ),
  command(
    'save',
    '[OPTIONS] IMAGE [IMAGE...]',
    'Save one or more images to a tar archive (streamed to STDOUT by default)',
    [of('string', 'output', 'Write to a file, instead of STDOUT', { short: 'o' })],
    {
      least: 1,
      most: MANY,
      completion: 'image',
    },
  ),
  command('load', '[OPTIONS]', 'Load an image from a tar archive or STDIN', [
    of('string', 'input', 'Read from tar archive file, instead of STDIN', { short: 'i' }),
    QUIET,
  ]),
  command(
    'import',
    '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
    'Import the contents from a tarball to create a filesystem image',
    [
      of('list', 'change', 'Apply Dockerfile instruction to the created image', { short: 'c' }),
      of('string', 'message', 'Set commit message for imported image', { short: 'm' }),
      PLATFORM,
    ],
    { least: 1, most: 2, completion: 'file' },
  ),
  command(
    'login',
    '[OPTIONS] [SERVER]',
    'Authenticate to a registry',
    [
      of('string', 'password', 'Password', { short: 'p' }),
      flag('password-stdin', 'Take the password from stdin'),
      of('string', 'username', 'Username', { short: 'u' }),
    ],
    { most: 1, aliases: [] },
  ),
  command('logout', '[SERVER]', 'Log out from a registry', [], { most: 1, aliases: [] }),
  {
    ...command(
      'image inspect',
      '[OPTIONS] IMAGE [IMAGE...]',
      'Display detailed information on one or more images',
      [of('string', 'format', 'Format output using a custom template', { short: 'f' })],
      { least: 1, most: MANY, completion: 'image' },
    ),
    aliases: [],
  },
  {
    ...command('image prune', '[OPTIONS]', 'Remove unused images', [
      flag('all', 'Remove all unused images, not just dangling ones', 'a'),
      of('list', 'filter', 'Provide filter values'),
      flag('force', 'Do not prompt for confirmation', 'f'),
    ]),
    aliases: [],
  },
];
