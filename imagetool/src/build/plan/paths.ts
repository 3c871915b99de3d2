/** Paths in an image, as instructions mean them. */

/** An absolute, clean path. */
export function absolutePath(workdir: string, path: string): string {
  const whole = path.startsWith('/') ? path : `${workdir}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** As absolutePath, keeping what says that a directory is meant: `/`, `/.` or nothing at the end. */
export function destinationPath(workdir: string, path: string): string {
  const clean = absolutePath(workdir, path);
  const isDirectory = path.endsWith('/') || path === '.' || path === '..' || path.endsWith('/.') || path.endsWith('/..');
  return isDirectory && clean !== '/' ? `${clean}/` : clean;
}
