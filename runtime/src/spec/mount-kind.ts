import type { Mount } from '../../../specs/runtime/mounts.ts';

/** Whether the mount is a bind mount: only its options say so, whatever its type is (`config.md#mounts`). */
export function isBindMount(mount: Mount): boolean {
  return mount.options?.some((option) => option === 'bind' || option === 'rbind') ?? false;
}

/** Whether ids are mapped in the mount, by mappings of its own or by those of the container's user namespace. */
export function isIdMapped(mount: Mount): boolean {
  return mount.uidMappings !== undefined || mount.gidMappings !== undefined || hasIdMapOption(mount);
}

/** Whether an option asks for mapped ids. */
export function hasIdMapOption(mount: Mount): boolean {
  return mount.options?.some((option) => option === 'idmap' || option === 'ridmap') ?? false;
}
