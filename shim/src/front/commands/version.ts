import type { Command } from '../context.ts';
import { compileTemplate } from '../format/template.ts';

declare const TSRUN_VERSION: string | undefined;
declare const TSRUN_COMMIT: string | undefined;

/** Put in by the build. */
const VERSION = typeof TSRUN_VERSION === 'string' ? TSRUN_VERSION : '0.0.0';
const COMMIT = typeof TSRUN_COMMIT === 'string' ? TSRUN_COMMIT : 'unknown';

export function shortVersion(): string {
  return `tsctl version ${VERSION}, build ${COMMIT.slice(0, 7)}`;
}

export function versionFacts() {
  const side = {
    Version: VERSION,
    ApiVersion: '1.43',
    GitCommit: COMMIT.slice(0, 7),
    Os: 'linux',
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    NodeVersion: process.version,
  };
  return { Client: side, Server: side };
}

/** There is no server: what docker says of one is said of the shim, which is of the same version. */
export const version: Command = async (context, args) => {
  const facts = versionFacts();
  const format = args.value('format');
  if (format === 'json') context.print(JSON.stringify(facts));
  else if (format !== undefined) context.print(compileTemplate(format)(facts));
  else {
    for (const [name, { Version, GitCommit, Os, Arch, NodeVersion }] of Object.entries(facts)) {
      context.print(
        `${name}: tsctl\n Version:           ${Version}\n Node version:      ${NodeVersion}\n Git commit:        ${GitCommit}\n OS/Arch:           ${Os}/${Arch}\n`,
      );
    }
  }
  return 0;
};
