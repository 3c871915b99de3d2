/** The image of a built stage: configuration, history and layers put together, as docker's builder does. */

import type { ContainerConfig, History, ImageConfig } from '../../../../specs/image/config.ts';
import type { Descriptor } from '../../../../specs/image/descriptor.ts';
import type { Manifest } from '../../../../specs/image/manifest.ts';
import { DOCKER, OCI } from '../../../../specs/image/media-types.ts';
import { storeJson } from '../../image/commit.ts';
import { HISTORY_COMMENT } from '../plan/history.ts';
import type { LayerStack } from './layers.ts';
import type { Session } from './session.ts';
import type { BuiltStage } from './stages.ts';

export interface AssembledImage {
  readonly descriptor: Descriptor;
  readonly config: ImageConfig;
  readonly manifest: Manifest;
}

export interface AssembleOptions {
  /** --label. */
  readonly labels: ReadonlyMap<string, string>;
  /** Fields of the configuration that are nobody else's. */
  readonly extraFields: Readonly<Record<string, object>>;
}

export async function assembleImage(session: Session, stage: BuiltStage, options: AssembleOptions): Promise<AssembledImage> {
  const { store, lease } = session.options;
  const config = { ...imageConfig(session, stage, options.labels), ...options.extraFields };
  const configDescriptor = await storeJson(store, lease, OCI.config, config);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: configDescriptor,
    layers: stage.layers.map(({ descriptor }) => inOciTypes(descriptor)),
  };
  return { descriptor: await storeJson(store, lease, OCI.manifest, manifest), config, manifest };
}

function imageConfig(session: Session, stage: BuiltStage, labels: ReadonlyMap<string, string>): ImageConfig {
  const { platform, author, config } = stage.plan;
  const history = historyOf(stage, session.now());
  const created =
    session.options.epochSeconds === undefined ? history.findLast((one) => one.created !== undefined)?.created : session.now();
  return {
    ...inherited(stage),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    created: created ?? session.now(),
    ...(author === undefined ? {} : { author }),
    config: withLabels(config, labels),
    rootfs: { type: 'layers', diff_ids: diffIdsOf(stage.layers) },
    history,
  };
}

function inherited(stage: BuiltStage): Partial<ImageConfig> {
  const { base } = stage;
  if (base === undefined) return {};
  if ('results' in base) return inherited(base);
  const { 'os.version': version, 'os.features': features, variant } = base.config;
  return {
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(features === undefined ? {} : { 'os.features': features }),
    ...(variant === undefined ? {} : { variant }),
  };
}

function withLabels(config: ContainerConfig, labels: ReadonlyMap<string, string>): ContainerConfig {
  return labels.size === 0 ? config : { ...config, Labels: { ...config.Labels, ...Object.fromEntries(labels) } };
}

function diffIdsOf(layers: LayerStack): ImageConfig['rootfs']['diff_ids'] {
  return layers.map(({ diffId }) => diffId);
}

/** What changes only the configuration has the time of the layer before it, so that the same steps make the same image. */
function historyOf({ plan, base, results }: BuiltStage, now: string): History[] {
  const before = baseHistory(base, now);
  const firstLayer = plan.history.find((line) => line.step !== undefined)?.step;
  const first = firstLayer === undefined ? undefined : results[firstLayer]?.created;
  let created = before.findLast((one) => one.created !== undefined)?.created ?? first ?? now;
  const own = plan.history.map((line): History => {
    const result = line.step === undefined ? undefined : results[line.step];
    created = result?.created ?? created;
    return {
      created,
      created_by: line.createdBy,
      comment: HISTORY_COMMENT,
      ...(result?.layer === undefined ? { empty_layer: true } : {}),
    };
  });
  return [...before, ...own];
}

function baseHistory(base: BuiltStage['base'], now: string): History[] {
  if (base === undefined) return [];
  return 'results' in base ? historyOf(base, now) : [...(base.config.history ?? [])];
}

const OCI_TYPES: ReadonlyMap<string, string> = new Map([
  [DOCKER.layer, OCI.layer],
  [DOCKER.layerGzip, OCI.layerGzip],
  [DOCKER.layerZstd, OCI.layerZstd],
]);

function inOciTypes(descriptor: Descriptor): Descriptor {
  return { ...descriptor, mediaType: OCI_TYPES.get(descriptor.mediaType) ?? descriptor.mediaType };
}
