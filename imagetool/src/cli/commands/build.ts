import { writeFileSync } from 'node:fs';
import { untilAborted } from '../../base/until-aborted.ts';
import { type BuildOptions, type Built, build } from '../../build/build.ts';
import { checkBuild } from '../../build/check-build.ts';
import type { BuildCheck } from '../../build/check-plan.ts';
import type { StepDifference } from '../../build/compare.ts';
import { describeFinding } from '../../build/dockerfile/checks/finding.ts';
import { BuildProgress } from '../../build/progress/progress.ts';
import { formatReference, parseReference, withDefaultTag } from '../../reference/reference.ts';
import { addImage, findImage, setImage } from '../../store/refs.ts';
import { type ParsedArgs, usage } from '../args.ts';
import { asNamespaceRoot } from '../as-root.ts';
import { type CacheTarget, cacheTargets, exportCache } from '../build-cache.ts';
import { BUILD_OPTIONS } from '../build-options.ts';
import { type BuildOutput, buildOutputs, writeOutput } from '../build-output.ts';
import { buildOptions } from '../build-request.ts';
import { buildView } from '../build-view.ts';
import type { Command, Context } from '../command.ts';
import { withSignals } from '../signals.ts';

export const buildCommand: Command = {
  name: 'build',
  usage: '[OPTIONS] PATH|URL|-',
  summary: 'Build an image from a Dockerfile',
  options: BUILD_OPTIONS,
  positionals: [1, 1],
  async run(context, args) {
    const wishes = wishesOf(args);
    const code = await asNamespaceRoot(context);
    if (code !== undefined) return code;
    return await withSignals(async (signal) => {
      const view = buildView(context, args);
      const progress = new BuildProgress(view.listener);
      try {
        const request = await buildOptions(context, args, { path: args.positionals[0] ?? '.', progress, signal });
        if (args.flag('check')) return printFindings(context, await checkBuild(request, (text) => context.note(text)));
        const options = args.flag('shell-on-error') ? await withShell(request, () => view.close()) : request;
        const finish = async (built: Built) => ({ digest: await finishBuild(context, built, wishes), built });
        const { digest, built } = await build(options, finish);
        const differences = args.flag('twice') ? await buildAgain(options, built) : undefined;
        view.close();
        if (!args.flag('quiet')) noteFindings(context, built.check);
        const isPiped = wishes.outputs.some((output) => 'destination' in output && output.destination === '-');
        if (!isPiped && (args.flag('quiet') || wishes.names.length === 0)) context.print(digest);
        return differences === undefined ? 0 : reportDifferences(context, differences, options.epochSeconds);
      } finally {
        view.close();
      }
    });
  },
};

async function withShell(request: BuildOptions, beforeShell: () => void): Promise<BuildOptions> {
  const { runShell } = await import('../../build/run/shell.ts');
  return { ...request, beforeShell, onFailedRun: runShell };
}

/** Exit code 1 where there is something to be said: a script has to see it. */
function printFindings(context: Context, { source, findings }: BuildCheck): number {
  if (findings.length === 0) context.note('Check complete, no warnings found.');
  for (const finding of findings) context.print(`${describeFinding(source, finding)}\n`);
  return findings.length === 0 ? 0 : 1;
}

/** After a build that they did not stop. */
function noteFindings(context: Context, { source, findings }: BuildCheck): void {
  if (findings.length === 0) return;
  context.note(`${findings.length} ${findings.length === 1 ? 'warning' : 'warnings'} found (--check shows the places):`);
  for (const { rule, reason, range } of findings) context.note(` - ${rule}: ${reason} (${source.name}:${range.start.line})`);
}

interface Wishes {
  readonly names: readonly string[];
  readonly args: ParsedArgs;
  readonly targets: readonly CacheTarget[];
  readonly outputs: readonly BuildOutput[];
}

/** Wrong ones are found before anything is built. */
function wishesOf(args: ParsedArgs): Wishes {
  const outputs = buildOutputs(args);
  const more = outputs.flatMap((output) => (output.type === 'image' ? (output.name?.split(',') ?? []) : []));
  const names = [...args.values('tag'), ...more].map((name) => formatReference(withDefaultTag(parseReference(name))));
  if (args.flag('shell-on-error') && !process.stdin.isTTY) throw usage('--shell-on-error needs a terminal');
  return { names, args, outputs, targets: cacheTargets(args) };
}

/** Returns the image's digest. */
async function finishBuild(context: Context, built: Built, { names, args, targets, outputs }: Wishes): Promise<string> {
  const { digest } = built.descriptor;
  const { progress, signal } = built.variants[0].session.options;
  if (outputs.some((output) => output.type === 'image')) await storeImage(built, names);
  for (const output of outputs) {
    if (output.type === 'image') continue;
    await progress.during(`exporting to ${output.type} ${output.destination}`, () => writeOutput(output, built, names));
  }
  await untilAborted(signal, exportCache(context, built, targets));
  const idFile = args.value('iidfile');
  if (idFile !== undefined) writeFileSync(idFile, digest);
  const metadataFile = args.value('metadata-file');
  if (metadataFile !== undefined) writeFileSync(metadataFile, `${JSON.stringify(metadata(built, names), undefined, 2)}\n`);
  return digest;
}

async function storeImage({ variants, descriptor }: Built, names: readonly string[]): Promise<void> {
  const { store, progress } = variants[0].session.options;
  await progress.during('exporting to image', async (step) => {
    if (names.length === 0) await addImage(store, descriptor);
    step.note(`writing image ${descriptor.digest} done`);
    for (const name of names) {
      // What is so already need not be written anew.
      if (findImage(store.layout, name)?.digest !== descriptor.digest) await setImage(store, name, descriptor);
      step.note(`naming to ${name} done`);
    }
  });
}

/** The keys that docker's builder writes. */
function metadata({ variants, descriptor }: Built, names: readonly string[]): object {
  return {
    'containerimage.digest': descriptor.digest,
    ...(variants.length === 1 ? { 'containerimage.config.digest': variants[0].image.manifest.config.digest } : {}),
    'containerimage.descriptor': descriptor,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}

async function buildAgain(options: BuildOptions, first: Built): Promise<StepDifference[]> {
  const { compareBuilds } = await import('../../build/compare.ts');
  return await build({ ...options, noCache: 'all' }, async ({ variants }) => {
    const differences: StepDifference[] = [];
    for (const [index, { session, stages }] of variants.entries())
      differences.push(...(await compareBuilds(session, first.variants[index]?.stages ?? [], stages)));
    return differences;
  });
}

/** Exit code 1 where the builds are not the same. */
function reportDifferences(context: Context, differences: readonly StepDifference[], epochSeconds: number | undefined): number {
  if (differences.length === 0) {
    context.note('built twice: all layers are the same');
    return 0;
  }
  for (const { step, files } of differences) {
    context.note(`not reproducible: ${step}`);
    for (const { path, what, remedy } of files) context.note(`    ${path}: ${what}${remedy === undefined ? '' : ` (${remedy})`}`);
  }
  if (epochSeconds === undefined) context.note('With SOURCE_DATE_EPOCH set, no time in a layer is later than that.');
  return 1;
}
