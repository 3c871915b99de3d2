/**
 * What the command tells besides its output. Errors go to standard error in any case, where conmon reads the first 8191 bytes of the first write,
 * and to the log file where there is one, from which containerd and podman take the last record of level "error".
 */
import { RuntimeError, SyscallError } from '../base/errors.ts';
import { tryCall } from '../linux/call.ts';
import { errnoName } from '../linux/errno.ts';
import { close, tryOpen } from '../linux/files.ts';
import { O_APPEND, O_CREAT, O_WRONLY } from '../linux/open-flags.ts';
import type { Sys } from '../sys/sys.ts';

export type LogFormat = 'text' | 'json';
export type LogLevel = 'error' | 'warning' | 'info' | 'debug';

/** Further keys of a record. */
export type LogFields = Readonly<Record<string, string | number>>;

const ORDER: readonly LogLevel[] = ['error', 'warning', 'info', 'debug'];
const STDERR = 2;
const LOG_MODE = 0o644;

export interface LogOptions {
  readonly file: string | undefined;
  readonly format: LogFormat;
  readonly level: LogLevel;
}

export class Log {
  readonly #sys: Sys;
  readonly #options: LogOptions;

  constructor(sys: Sys, options: LogOptions) {
    this.#sys = sys;
    this.#options = options;
  }

  error(error: unknown, message: string): void {
    const fields = errorFields(error);
    this.#record('error', message, fields);
    if (this.#options.file !== undefined || this.#options.format === 'text') this.#write(STDERR, stderrText(message, fields));
    if (error instanceof Error && !(error instanceof RuntimeError)) this.debug(error.stack ?? String(error));
  }

  warning(message: string): void {
    this.#tell('warning', message);
  }

  debug(message: string): void {
    this.#tell('debug', message);
  }

  #tell(level: LogLevel, message: string): void {
    if (ORDER.indexOf(level) > ORDER.indexOf(this.#options.level)) return;
    this.#record(level, message, {});
    if (this.#options.file === undefined && this.#options.format === 'text') this.#write(STDERR, `${level}: ${message}\n`);
  }

  /** Appends to the log; without a file, records in JSON go to standard error. */
  #record(level: LogLevel, message: string, fields: LogFields): void {
    const { file, format } = this.#options;
    if (file === undefined && format === 'text') return;
    const record = { level, msg: message, time: timestamp(), ...fields };
    const line = format === 'json' ? `${JSON.stringify(record)}\n` : textRecord(record);
    if (file === undefined) {
      this.#write(STDERR, line);
      return;
    }
    const fd = tryOpen(this.#sys, file, { flags: O_WRONLY | O_APPEND | O_CREAT, mode: LOG_MODE });
    if (fd < 0) {
      this.#write(STDERR, `warning: cannot write to the log ${file}: ${errnoName(-fd)}\n`);
      return;
    }
    this.#write(fd, line);
    close(this.#sys, fd);
  }

  /** A log that cannot be written does not stop the command. */
  #write(fd: number, text: string): void {
    const bytes = this.#sys.encode(text);
    for (let written = 0; written < bytes.byteLength; ) {
      const result = tryCall(this.#sys, 'write', fd, this.#sys.address(bytes) + written, bytes.byteLength - written);
      if (result <= 0) return;
      written += result;
    }
  }
}

/** RFC 3339 in whole seconds: containerd refuses a log with any other time. */
function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** logfmt, as runc's text log. */
function textRecord(record: Readonly<Record<string, string | number>>): string {
  const { time, level, msg, ...more } = record;
  const pairs = Object.entries({ time: JSON.stringify(time), level, msg: JSON.stringify(msg) });
  for (const [key, value] of Object.entries(more)) pairs.push([key, typeof value === 'number' ? String(value) : JSON.stringify(value)]);
  return `${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}\n`;
}

function stderrText(message: string, fields: LogFields): string {
  const hint = fields['hint'];
  return `${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`;
}

function errorFields(error: unknown): LogFields {
  if (!(error instanceof RuntimeError)) return { code: 'internal' };
  return {
    code: error.code,
    ...(error.configPath === undefined ? {} : { path: error.configPath }),
    ...(error instanceof SyscallError ? { syscall: error.syscall, errno: errnoName(error.errno) } : {}),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}
