import { ImageError } from '../../base/errors.ts';
import { build } from '../../build/build.ts';
import { BuildProgress } from '../../build/progress/progress.ts';
import { asNamespaceRoot } from '../as-root.ts';
import { BUILD_OPTIONS } from '../build-options.ts';
import { buildOptions } from '../build-request.ts';
import { buildView } from '../build-view.ts';
import type { Command } from '../command.ts';
import { withSignals } from '../signals.ts';

export const debug: Command = {
  name: 'debug',
  usage: '[OPTIONS OF build] STEP [PATH|URL|-]',
  summary:
    'Open a shell where a step of a build would run: its files, mounts, variables, user. STEP is as the build names it: 3/5, "build 2/4", RUN make',
  options: BUILD_OPTIONS,
  positionals: [1, 2],
  async run(context, args) {
    const [step = '', path = '.'] = args.positionals;
    const code = await asNamespaceRoot(context);
    if (code !== undefined) return code;
    return await withSignals(async (signal) => {
      const view = buildView(context, args);
      const request = await buildOptions(context, args, { path, progress: new BuildProgress(view.listener), signal });
      try {
        await build({ ...request, breakAt: (name) => isStep(name, step), beforeShell: () => view.close() }, async () => undefined);
      } catch (error) {
        if (error instanceof ImageError && error.code === 'shell-ended') return 0;
        throw error;
      } finally {
        view.close();
      }
      throw new ImageError('debug', `the build has no step ${JSON.stringify(step)}`, {
        hint: 'Name it as the build does: its place (3/5, or build 2/4 in the stage build), or how its instruction begins.',
      });
    });
  },
};

/** `name`: `[build 2/4] RUN make`. */
function isStep(name: string, wanted: string): boolean {
  const [, place = '', title = ''] = /^\[(.*?)\] ([\s\S]*)$/.exec(name) ?? [];
  const words = place.replaceAll(/\s+/g, ' ').trim();
  return words === wanted || (!words.includes(' ') && words.split('/')[0] === wanted) || title.startsWith(wanted);
}
