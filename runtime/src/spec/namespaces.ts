import type { Config } from '../../../specs/runtime/config.ts';
import type { Namespace, NamespaceType } from '../../../specs/runtime/linux/namespaces.ts';

/** The entry for the type; undefined if the container stays in the runtime's namespace of that type. */
export function findNamespace(config: Config, type: NamespaceType): Namespace | undefined {
  return config.linux?.namespaces?.find((namespace) => namespace.type === type);
}

/** Whether the container is in a namespace of its own or in one it joins, rather than in the runtime's. */
export function hasNamespace(config: Config, type: NamespaceType): boolean {
  return findNamespace(config, type) !== undefined;
}

/** Whether a new namespace is made for the container. */
export function hasNewNamespace(config: Config, type: NamespaceType): boolean {
  const namespace = findNamespace(config, type);
  return namespace !== undefined && namespace.path === undefined;
}
