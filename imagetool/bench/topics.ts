/** What is measured. Each topic is one comparison in one run, on one machine, with one registry. */

import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { peakMemoryKiB } from '../../runtime/bench/measure.ts';
import type { Row } from '../../runtime/bench/report.ts';
import { findImage } from '../src/store/refs.ts';
import { openStore } from '../src/store/store.ts';
import { buildTopic } from './build.ts';
import { compare, type Topic } from './contest.ts';
import { type ImageSize, makeImage, makeManyImages } from './image.ts';
import { type Command, type Cost, inTurns, medianOf, runCommands } from './measure.ts';
import { startRegistry } from './registry.ts';
import type { Setting } from './setting.ts';

const IMAGE: ImageSize = { layers: 10, files: 30_000, bytes: 300_000_000 };
const SMALL_IMAGE: ImageSize = { layers: 10, files: 10_000, bytes: 100_000_000 };
const WHAT = '10 layers, 300 MB, 30,000 files';
const MANY_IMAGES = 1000;

function skopeoCopy(from: string, to: string): Command {
  return { path: 'skopeo', args: ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false', from, to] };
}

const pull: Topic = {
  name: 'tsimg-pull',
  measure: async (setting) => {
    const { sys, directory, tsimg, peers, log } = setting;
    const at = (name: string) => join(directory, name);
    await using registry = await startRegistry(at('registry'));
    const name = await pushedImage(setting, registry.host, 'large', IMAGE);
    const small = await pushedImage(setting, registry.host, 'small', SMALL_IMAGE);
    const rows = await compare({
      topic: 'tsimg-pull',
      what: `pull and unpack of an image of ${WHAT}`,
      rounds: setting.heavyRounds,
      limit: 0.6,
      peer: 'skopeo + umoci',
      ours: async () => {
        for (const path of ['store', 'bundle']) rmSync(at(path), { recursive: true, force: true });
        return runCommands(sys, log, tsimg('store', 'pull', '-q', name), tsimg('store', 'unpack', name, at('bundle')));
      },
      theirs: async () => {
        for (const path of ['layout', 'umoci']) rmSync(at(path), { recursive: true, force: true });
        const copy = skopeoCopy(`docker://${name}`, `oci:${at('layout')}:x`);
        const unpack = { path: peers.umoci, args: ['unpack', '--image', `${at('layout')}:x`, at('umoci')] };
        return runCommands(sys, log, { ...copy, path: peers.skopeo }, unpack);
      },
    });
    const [ofLarge, ofSmall] = [peakOf(setting, name), peakOf(setting, small)];
    return [
      ...rows,
      {
        topic: 'tsimg-pull',
        what: 'peak resident memory of pull and of unpack, the larger of the two',
        medians: { [WHAT]: ofLarge, 'a third of that': ofSmall },
        unit: 'KiB',
        goals: [
          { name: 'tsimg in MB', value: ofLarge / 1024, limit: 250 },
          { name: 'three times the image / the image', value: ofLarge / ofSmall, limit: 1.15 },
        ],
      },
    ];
  },
};

function peakOf({ sys, directory, tsimg }: Setting, name: string): number {
  for (const path of ['store', 'bundle']) rmSync(join(directory, path), { recursive: true, force: true });
  const commands = [tsimg('store', 'pull', '-q', name), tsimg('store', 'unpack', name, join(directory, 'bundle'))];
  return Math.max(...commands.map((command) => peakMemoryKiB(sys, command)));
}

/** Puts an image into a registry. Returns its name there. */
async function pushedImage(setting: Setting, host: string, kind: string, size: ImageSize): Promise<string> {
  const name = `${host}/bench/${kind}:1`;
  runCommands(setting.sys, setting.log, pushFromSeed(setting, await seededImage(setting, size), name));
  return name;
}

/** The name of an image of this size in the seed, where it is made unless it is there. */
async function seededImage({ sys, seed }: Setting, size: ImageSize): Promise<string> {
  const name = `example.com/bench/of-${size.layers}-${size.files}-${size.bytes}:1`;
  mkdirSync(seed, { recursive: true });
  const store = openStore(seed, sys);
  if (findImage(store.layout, name) === undefined) await makeImage(store, name, size);
  return name;
}

/** The registry is a new one: nothing is known of it. */
function pushFromSeed({ seed, tsimg }: Setting, image: string, name: string): Command {
  for (const label of readdirSync(join(seed, 'labels'))) rmSync(join(seed, 'labels', label));
  return tsimg(seed, 'push', '-q', image, name);
}

const push: Topic = {
  name: 'tsimg-push',
  measure: async (setting) => {
    const { sys, directory, peers, log, seed } = setting;
    const name = await seededImage(setting, IMAGE);
    // A registry of its own for each: what one has been sent, the other would find there, and both remember where they have sent a blob.
    const toNew = async (commandFor: (host: string) => Command): Promise<Cost> => {
      await using registry = await startRegistry(join(directory, 'target'));
      return runCommands(sys, log, commandFor(registry.host));
    };
    return await compare({
      topic: 'tsimg-push',
      what: `push of an image of ${WHAT}`,
      rounds: setting.heavyRounds,
      limit: 0.8,
      peer: 'skopeo',
      ours: () => toNew((host) => pushFromSeed(setting, name, `${host}/bench/push:1`)),
      theirs: () => toNew((host) => ({ ...skopeoCopy(`oci:${seed}:${name}`, `docker://${host}/bench/push:1`), path: peers.skopeo })),
    });
  },
};

const commit: Topic = {
  name: 'tsimg-commit',
  measure: async (setting) => {
    const { sys, directory, tsimg, peers, log } = setting;
    const at = (name: string) => join(directory, name);
    const name = await seededImage(setting, IMAGE);
    runCommands(sys, log, { path: '/bin/cp', args: ['-a', '--reflink=auto', setting.seed, at('commit')] });
    const copy = { ...skopeoCopy(`oci:${at('commit')}:${name}`, `oci:${at('commit-layout')}:x`), path: peers.skopeo };
    const umoci = (...args: string[]): Command => ({ path: peers.umoci, args });
    runCommands(sys, log, tsimg('commit', 'unpack', name, at('ours')), copy);
    runCommands(sys, log, umoci('unpack', '--image', `${at('commit-layout')}:x`, at('theirs')));
    const change = (bundle: string, round: number) => appendFileSync(at(`${bundle}/rootfs/usr/lib/part3/d7/file211`), `round ${round}\n`);
    return await compare({
      topic: 'tsimg-commit',
      what: `commit of one changed file in an image of ${WHAT}`,
      rounds: setting.heavyRounds,
      limit: 0.1,
      peer: 'umoci repack',
      ours: async (round) => {
        change('ours', round);
        return runCommands(sys, log, tsimg('commit', 'commit', at('ours'), `example.com/bench/commit:new${round}`));
      },
      theirs: async (round) => {
        change('theirs', round);
        return runCommands(sys, log, umoci('repack', '--refresh-bundle', '--image', `${at('commit-layout')}:new${round}`, at('theirs')));
      },
    });
  },
};

const images: Topic = {
  name: 'tsimg-images',
  measure: async ({ sys, directory, rounds, tsimg, log }) => {
    await makeManyImages(openStore(join(directory, 'many'), sys), MANY_IMAGES);
    const [ours = [], empty = []] = await inTurns(rounds, [
      async () => runCommands(sys, log, tsimg('many', 'images')),
      async () => runCommands(sys, log, { path: process.execPath, args: ['-e', '0'] }),
    ]);
    const row = (field: keyof Cost, suffix: string): Row => {
      const medians = { 'tsimg images': medianOf(ours, field), 'node -e 0': medianOf(empty, field) };
      const value = medians['tsimg images'] - medians['node -e 0'];
      const what = `images of a store with ${MANY_IMAGES} of them${suffix}`;
      return { topic: 'tsimg-images', what, medians, unit: 'ms', goals: [{ name: 'ms over node -e 0', value, limit: 30 }] };
    };
    return [row('wallMs', ''), row('cpuMs', ', processor time')];
  },
};

export const TOPICS: readonly Topic[] = [pull, push, commit, images, buildTopic];

/** Topics by name; `tsimg` is all of them. */
export function topicsFor(wanted: readonly string[]): readonly Topic[] {
  if (wanted.length === 0 || wanted.includes('tsimg')) return TOPICS;
  return TOPICS.filter(({ name }) => wanted.includes(name));
}

/** Removes what a topic leaves in the setting's directory. */
export function cleanAfter({ directory }: Setting): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory);
}
