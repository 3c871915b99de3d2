/** The image configuration (image-spec, config.md), with the fields docker adds. */

import { type Digest, digest } from './digest.ts';
import {
  anything,
  boolean,
  integer,
  isObject,
  list,
  mapOf,
  matching,
  object,
  oneOf,
  parseJson,
  type Shape,
  SpecError,
  string,
} from './shape.ts';

export interface Healthcheck {
  /** `['NONE']`, `['CMD', …]` or `['CMD-SHELL', line]`; empty: taken from the base image. */
  Test?: string[];
  /** Nanoseconds, as the next three. */
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** How to run the image (config.md#properties, `config`). */
export interface ContainerConfig {
  /** `user`, `uid`, `user:group`, `uid:gid` and mixtures. */
  User?: string;
  /** Keys are `port`, `port/tcp`, `port/udp`, `port/sctp`. */
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, object>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  /** Docker only: the following. */
  Healthcheck?: Healthcheck;
  OnBuild?: string[];
  Shell?: string[];
  /** Docker and Windows: the arguments are one escaped command line. */
  ArgsEscaped?: boolean;
}

export interface History {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  /** True if this step made no layer. */
  empty_layer?: boolean;
}

export interface RootFs {
  type: 'layers';
  /** Digests of the uncompressed layers, bottom first. */
  diff_ids: Digest[];
}

export interface ImageConfig {
  /** RFC 3339. */
  created?: string;
  author?: string;
  architecture: string;
  os: string;
  'os.version'?: string;
  'os.features'?: string[];
  variant?: string;
  config?: ContainerConfig;
  rootfs: RootFs;
  history?: History[];
  /** Docker only. */
  docker_version?: string;
  container?: string;
  container_config?: ContainerConfig;
}

/** Configs are read into memory; none in the wild comes near this. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

const healthcheck = object(
  {},
  { Test: list(string), Interval: integer, Timeout: integer, StartPeriod: integer, StartInterval: integer, Retries: integer },
);

const words: Shape = list(string);

const containerConfig = object(
  {},
  {
    User: string,
    ExposedPorts: mapOf(anything),
    Env: list(matching(/^[^=\0]+(?:=[^\0]*)?$/, 'NAME=value')),
    Entrypoint: words,
    Cmd: words,
    Volumes: mapOf(anything),
    WorkingDir: string,
    Labels: mapOf(string),
    StopSignal: string,
    Healthcheck: healthcheck,
    OnBuild: list(string),
    Shell: words,
    ArgsEscaped: boolean,
  },
);

const history = object({}, { created: string, created_by: string, author: string, comment: string, empty_layer: boolean });

const imageConfig = object(
  { architecture: string, os: string, rootfs: object({ type: oneOf('layers'), diff_ids: list(digest) }) },
  {
    created: matching(/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/, 'an RFC 3339 time'),
    author: string,
    'os.version': string,
    'os.features': list(string),
    variant: string,
    config: containerConfig,
    history: list(history),
  },
);

/** Reads an image configuration; fields we do not know stay in the object. Throws SpecError. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const value = parseJson(bytes, 'the image configuration');
  // An image without layers, as Go writes it.
  if (isObject(value) && isObject(value['rootfs'])) value['rootfs']['diff_ids'] ??= [];
  imageConfig(value);
  const config = value as ImageConfig;
  if (config.created === '') throw new SpecError('created', 'is empty');
  return config;
}
