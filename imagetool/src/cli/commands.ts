/**
 * All commands. Each is loaded when it is called: the HTTP client alone takes longer to start than `tsimg images` takes.
 */

import type { Command } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  /** Another name for the same. */
  readonly alias?: string;
  readonly summary: string;
  load(): Promise<Command>;
}

const entry = (name: string, summary: string, load: () => Promise<Command>): CommandEntry => ({ name, summary, load });

export const COMMANDS: readonly CommandEntry[] = [
  entry(
    'pull',
    'Fetch an image from a registry, going on where an earlier attempt stopped',
    async () => (await import('./commands/pull.ts')).pull,
  ),
  entry('push', 'Send an image to a registry, by its own name or by another', async () => (await import('./commands/push.ts')).push),
  entry('copy', 'Copy an image from one registry to another', async () => (await import('./commands/copy.ts')).copy),
  entry('build', 'Build an image from a Dockerfile', async () => (await import('./commands/build.ts')).buildCommand),
  entry('debug', 'Open a shell where a step of a build would run', async () => (await import('./commands/debug.ts')).debug),
  entry('cache', 'Cache mounts and cached results of builds', async () => (await import('./commands/cache.ts')).cache),
  { ...entry('images', 'List the images of the store', async () => (await import('./commands/images.ts')).images), alias: 'ls' },
  entry('inspect', 'Print what images are made of', async () => (await import('./commands/inspect.ts')).inspect),
  entry('history', 'Show how an image was made, and the sizes of its layers', async () => (await import('./commands/history.ts')).history),
  entry('tag', 'Give an image another name', async () => (await import('./commands/tag.ts')).tag),
  entry('untag', 'Take a name from an image and keep the image', async () => (await import('./commands/untag.ts')).untag),
  entry('rmi', 'Remove images; what nothing else needs is deleted', async () => (await import('./commands/rmi.ts')).rmi),
  entry('unpack', 'Make an OCI runtime bundle of an image', async () => (await import('./commands/unpack.ts')).unpack),
  entry('diff', 'Show what has changed in a bundle, or between two images', async () => (await import('./commands/diff.ts')).diff),
  entry('commit', 'Make an image of a bundle', async () => (await import('./commands/commit.ts')).commit),
  entry('append', 'Make an image with one more layer, from a tar archive', async () => (await import('./commands/append.ts')).append),
  entry('import', 'Make an image of a tar archive of a file system', async () => (await import('./commands/append.ts')).importCommand),
  entry('bootstrap', 'Make an image out of this machine’s own tools', async () => (await import('./commands/bootstrap.ts')).bootstrap),
  entry('mutate', 'Make an image with another configuration', async () => (await import('./commands/mutate.ts')).mutate),
  entry('squash', 'Make an image of one layer of another image', async () => (await import('./commands/squash.ts')).squash),
  entry('index', 'Make an index of images of several platforms', async () => (await import('./commands/make-index.ts')).indexCommand),
  entry('save', 'Write images to an archive for docker, skopeo and tsimg', async () => (await import('./commands/save.ts')).save),
  entry('load', 'Take images in from an archive or an OCI layout', async () => (await import('./commands/load.ts')).load),
  entry(
    'export',
    'Write the files of a bundle or image as a tar archive',
    async () => (await import('./commands/export.ts')).exportCommand,
  ),
  entry('verify', 'Read every byte of images and compare with their digests', async () => (await import('./commands/verify.ts')).verify),
  entry('gc', 'Delete what no image needs', async () => (await import('./commands/gc.ts')).gc),
  entry('prune', 'Delete images without a name', async () => (await import('./commands/prune.ts')).prune),
  entry('df', 'Show what the store takes on disk; set its limit', async () => (await import('./commands/df.ts')).df),
  entry('login', 'Store a login for a registry, after trying it', async () => (await import('./commands/login.ts')).login),
  entry('logout', 'Forget the login for a registry', async () => (await import('./commands/login.ts')).logout),
  entry('search', 'Search Docker Hub, or another registry', async () => (await import('./commands/search.ts')).search),
  entry('list-tags', 'List the tags of a repository at a registry', async () => (await import('./commands/list-tags.ts')).listTagsCommand),
  entry('referrers', 'List what refers to an image at a registry', async () => (await import('./commands/referrers.ts')).referrers),
  entry('catalog', 'List the repositories of a registry', async () => (await import('./commands/list-tags.ts')).catalog),
  entry('version', 'Print the version', async () => (await import('./commands/version.ts')).version),
];
