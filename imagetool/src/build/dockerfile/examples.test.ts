import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expandFrom, expandInstruction, globalScope } from './expand.ts';
import { parseDockerfile } from './parse.ts';
import { StageScope } from './scope.ts';
import { textIn } from './source.ts';

const DIRECTORY = join(__dirname, '../../../test/dockerfiles');
const NAMES = readdirSync(DIRECTORY, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const PLATFORM = new Map(
  Object.entries({ BUILDPLATFORM: 'linux/amd64', TARGETPLATFORM: 'linux/amd64', TARGETOS: 'linux', TARGETARCH: 'amd64' }),
);

describe('the Dockerfiles of imagetool/test', () => {
  it('are many', () => {
    expect(NAMES.length).toBeGreaterThanOrEqual(40);
  });

  it.each(NAMES)('%s', (name) => {
    const file = parseDockerfile(readFileSync(join(DIRECTORY, name, 'Dockerfile'), 'utf8'), `${name}/Dockerfile`);
    const globals = globalScope(file, PLATFORM, new Map());
    for (const stage of file.stages) {
      expect(expandFrom(stage.from, globals, file).result.image).toMatch(/^[a-z]+$/);
      let scope = StageScope.begin({ environment: ['PATH=/bin'], globals, buildArguments: new Map() });
      for (const instruction of stage.instructions) {
        expect(textIn(file.source, instruction.keyword.range)).toBe(instruction.keyword.text);
        const { result } = expandInstruction(instruction, scope, file);
        if (result.kind === 'ARG' || result.kind === 'ENV') scope = scope.after(result);
      }
    }
  });
});
