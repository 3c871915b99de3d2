/** Where a command may be: the search of execvp(3) through the container's own PATH. */

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The value of a variable; the last definition wins. */
export function environmentValue(environ: readonly string[], name: string): string | undefined {
  return environ.findLast((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Paths to try in order. A command with a slash is taken as it is; an empty part of PATH means the working directory. */
export function executableCandidates(command: string, environ: readonly string[]): string[] {
  if (command.includes('/')) return [command];
  const path = environmentValue(environ, 'PATH') ?? DEFAULT_PATH;
  return path.split(':').map((directory) => `${directory === '' ? '.' : directory}/${command}`);
}
