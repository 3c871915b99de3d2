import { ImageError } from '../base/errors.ts';

/** Where the store is unless the user says otherwise: `/var/lib/tsrun` for root, `$XDG_DATA_HOME/tsrun` for others. */
export function defaultRoot(user: { readonly uid: number; readonly env: Readonly<Record<string, string | undefined>> }): string {
  if (user.uid === 0) return '/var/lib/tsrun';
  const dataHome = user.env['XDG_DATA_HOME'];
  if (dataHome?.startsWith('/') === true) return `${dataHome}/tsrun`;
  const home = user.env['HOME'];
  if (home === undefined || home === '')
    throw new ImageError('no-store', 'neither XDG_DATA_HOME nor HOME is set: give the store with --root');
  return `${home}/.local/share/tsrun`;
}
