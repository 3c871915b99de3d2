/** Every scenario is run twice, with runc and with tsrun, and an engine's user must not be able to tell which: output, errors, exit status. */
import { builtCommand, command, describeWith, type Requirement, rootUser } from '../../../.scripts/jest/requirement.ts';
import { staticBusybox } from '../bundle.ts';
import { commandPath } from '../cli.ts';
import type { Enclosure, Result, RunOptions } from './enclosure.ts';

jest.setTimeout(300_000);

/** The last one only where a daemon has the shim in its PATH. */
export type RuntimeName = 'runc' | 'tsrun' | 'io.containerd.tsrun.v2';

export function runtimePath(name: RuntimeName): string {
  return name === 'tsrun' ? commandPath('tsrun') : '/usr/sbin/runc';
}

/** What an engine's commands need of each runtime. */
export interface Engine {
  /** An engine's command line. */
  readonly command: (words: readonly string[]) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** An engine over one runtime. What is done with it is written down. */
export class Driver {
  readonly runtime: RuntimeName;
  readonly enclosure: Enclosure;
  readonly transcript: string[] = [];
  readonly #engine: Engine;

  constructor(runtime: RuntimeName, enclosure: Enclosure, engine: Engine) {
    this.runtime = runtime;
    this.enclosure = enclosure;
    this.#engine = engine;
  }

  commandLine(words: readonly string[]): readonly string[] {
    return this.#engine.command(words);
  }

  get env(): Readonly<Record<string, string>> {
    return this.#engine.env ?? {};
  }

  /** Runs the engine's command and writes down what it said. */
  run(words: readonly string[], options: RunOptions = {}): Result {
    const result = this.look(words, options);
    this.note(`${words.join(' ')}\n=> ${result.status}\n${result.stdout}${result.stderr}`);
    return result;
  }

  /** As `run`, for what differs from run to run. */
  look(words: readonly string[], options: RunOptions = {}): Result {
    return this.enclosure.run(this.#engine.command(words), { ...options, env: { ...this.env, ...options.env } });
  }

  /** As `run`, for what must succeed. Returns standard output. */
  ok(words: readonly string[], options: RunOptions = {}): string {
    return this.#succeed(words, this.run(words, options));
  }

  /** As `look`, for what must succeed. Returns standard output. */
  quietly(words: readonly string[], options: RunOptions = {}): string {
    return this.#succeed(words, this.look(words, options));
  }

  #succeed(words: readonly string[], { status, stdout, stderr }: Result): string {
    if (status !== 0) throw new Error(`${words.join(' ')} (${this.runtime}): exit status ${status}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  note(text: string): void {
    this.transcript.push(neutral(text));
  }
}

/** Without what differs between any two runs, and the runtime's name. */
function neutral(text: string): string {
  return (
    text
      .replaceAll(commandPath('tsrun'), 'RUNTIME')
      .replaceAll(runtimePath('runc'), 'RUNTIME')
      .replaceAll(/\b(tsrun|runc)\b/g, 'RUNTIME')
      // Warnings of the engines themselves, on machines without controllers.
      .replaceAll(/(time=\S+ level=warning|WARNING:|WARN\[\d+\]) .*\n/g, '')
      // What the specification wants to be told, and runc does not tell. Where it logs to standard error, its text log has a time.
      .replaceAll(/warning: config\.json: .*\n/g, '')
      .replaceAll(/time=\S+ level=error msg="(RUNTIME .*)"$/gm, (_, message: string) => message.replaceAll('\\"', '"'))
      // docker's client, now and then, when a container could not be started.
      .replaceAll(/time=.* msg="error waiting for container: context canceled"\n/g, '')
      .replaceAll(/time="?[\dT:.Z+-]+"?/g, 'TIME')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
      .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
      .replaceAll(/engine-test-\w+/g, 'DIRECTORY')
      // Both are what newer versions of runc say as well.
      .replaceAll('error during container init: ', '')
      .replaceAll('is a directory: permission denied', 'permission denied')
  );
}

/**
 * The scenarios with each runtime, then a comparison of all that was said.
 * @param start makes the engine, with the runtime as its own
 */
export function describeBothRuntimes(
  name: string,
  requirements: readonly Requirement[],
  start: (runtime: RuntimeName) => { readonly enclosure: Enclosure; readonly engine: Engine },
  scenarios: (driver: () => Driver) => void,
): void {
  const transcripts = new Map<RuntimeName, Map<string, readonly string[]>>();
  for (const runtime of ['runc', 'tsrun'] as const) {
    describeWith([rootUser, staticBusybox, builtCommand('tsrun'), command('runc'), ...requirements], `${name} with ${runtime}`, () => {
      let driver: Driver;
      const said = new Map<string, readonly string[]>();
      beforeAll(() => {
        const { enclosure, engine } = start(runtime);
        driver = new Driver(runtime, enclosure, engine);
        transcripts.set(runtime, said);
      });
      afterEach(() => {
        said.set(expect.getState().currentTestName?.replace(runtime, 'RUNTIME') ?? '', driver.transcript.splice(0));
      });
      afterAll(() => {
        driver?.enclosure.dispose();
      });
      scenarios(() => driver);
    });
  }
  describeWith(
    [rootUser, staticBusybox, builtCommand('tsrun'), command('runc'), ...requirements],
    `${name} cannot tell the runtimes apart`,
    () => {
      it('by what it says or how it exits', () => {
        expect(transcripts.get('runc')?.size).toBeGreaterThan(0);
        expect(Object.fromEntries(transcripts.get('tsrun') ?? [])).toEqual(Object.fromEntries(transcripts.get('runc') ?? []));
      });
    },
  );
}
