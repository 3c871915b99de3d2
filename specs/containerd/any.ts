/** google.protobuf.Any as containerd writes it: a protobuf message is named by its bare full name, a JSON document by an URL of containerd's. */
import { google } from './gen/task.js';
import type { Codec } from './service.ts';

export type Any = google.protobuf.Any.$Properties;

/** The JSON documents of the runtime specification that travel in an Any. */
export const JSON_TYPES = {
  spec: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
  process: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
  linuxResources: 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources',
  features: 'types.containerd.io/opencontainers/runtime-spec/1/features/Features',
} as const;

/** `name` is the message's full name, as in `containerd.events.TaskExit`. */
export function anyOf<Encodable>(name: string, codec: Codec<Encodable, unknown>, message: Encodable): google.protobuf.Any {
  return google.protobuf.Any.create({ type_url: name, value: codec.encode(message).finish() });
}

/** `text` is JSON; `typeUrl` one of JSON_TYPES. */
export function anyOfJson(typeUrl: string, text: string): google.protobuf.Any {
  return google.protobuf.Any.create({ type_url: typeUrl, value: new TextEncoder().encode(text) });
}

/** Whether the Any holds a message of that full name. Clients in Go write the bare name, others may put an authority and a slash before it. */
export function isAnyOf(any: Any, name: string): boolean {
  const url = any.type_url ?? '';
  return url === name || url.endsWith(`/${name}`);
}

export function anyBytes(any: Any): Uint8Array {
  return any.value ?? new Uint8Array();
}
