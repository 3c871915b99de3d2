/** `containerd-shim-tsrun-v2` on Node: the long-running process, and where there is no native command everything else too. */
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { ENGINE } from './engine.ts';
import { launch } from './launch.ts';

const sys = createNodeSys();
if (process.argv.at(-1) === 'serve') {
  // Loaded here, not by those who only ask.
  import('./serve.ts')
    .then(({ serve }) => serve(sys))
    .catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    });
} else {
  process.exit(launch(sys, ENGINE));
}
