import { readFileSync } from 'node:fs';
import { State } from '../../specs/runtime/state.ts';
import { describeProblem } from '../../specs/schema/problem.ts';
import { validate } from '../../specs/schema/validate.ts';
import { Facts } from '../probe/facts.ts';
import type { Bundle } from './bundle.ts';
import type { CommandOptions, Result } from './command.ts';
import { until } from './wait.ts';

export type Invoke = (args: readonly string[], options?: CommandOptions) => Promise<Result>;

/** A container that was created. Its end is seen to by the ground that made it. */
export class Container {
  readonly id: string;
  readonly bundle: Bundle;
  readonly #invoke: Invoke;
  readonly #outputFile: string;

  constructor(id: string, bundle: Bundle, invoke: Invoke, outputFile: string) {
    this.id = id;
    this.bundle = bundle;
    this.#invoke = invoke;
    this.#outputFile = outputFile;
  }

  /** Runs a command of the runtime on this container, whatever comes of it. */
  try(command: string, ...args: readonly string[]): Promise<Result> {
    // Not every runtime takes options behind the id.
    const options = args.filter((word) => word.startsWith('-'));
    return this.#invoke([command, ...options, this.id, ...args.filter((word) => !word.startsWith('-'))]);
  }

  /** As `try`; what fails is an error. */
  async do(command: string, ...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.try(command, ...args);
    if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: exit status ${status}: ${stderr.trim()}`);
    return stdout;
  }

  /** As `try`; what succeeds is an error. Returns what was said. */
  async fail(command: string, ...args: readonly string[]): Promise<string> {
    const { status, stderr } = await this.try(command, ...args);
    if (status === 0) throw new Error(`${[command, ...args].join(' ')} succeeded, and must be an error`);
    return stderr;
  }

  async start(): Promise<this> {
    await this.do('start');
    return this;
  }

  async state(): Promise<State> {
    const checked = validate(State, JSON.parse(await this.do('state')));
    if (!checked.valid) throw new Error(`not a state: ${checked.errors.map(describeProblem).join('; ')}`);
    return checked.value;
  }

  async status(): Promise<string> {
    return (await this.state()).status;
  }

  async pid(): Promise<number> {
    const { pid } = await this.state();
    if (pid === undefined || pid <= 0) throw new Error(`the state has the pid ${pid}`);
    return pid;
  }

  /** Whether the runtime knows it. */
  async exists(): Promise<boolean> {
    return (await this.try('state')).status === 0;
  }

  async waitFor(status: string): Promise<this> {
    await until(async () => (await this.status()) === status, `the container is ${status}`);
    return this;
  }

  /** Kills the process and waits for its end. */
  async stop(): Promise<this> {
    await this.do('kill', 'KILL');
    return this.waitFor('stopped');
  }

  /** What its processes have printed so far. */
  output(): string {
    return readFileSync(this.#outputFile, 'utf8').trim();
  }

  /** Waits until it has printed something that matches. */
  async printed(pattern: RegExp): Promise<string> {
    await until(() => pattern.test(this.output()), `the container has printed ${pattern}`);
    return this.output();
  }

  async facts(): Promise<Facts> {
    return new Facts(await this.printed(/\}$/));
  }
}
