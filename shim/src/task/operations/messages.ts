/** Between the service's thread and those of the operator: plain data, since errors lose their class on the way. */
import { RuntimeError, SyscallError } from '../../../../runtime/src/base/errors.ts';
import type { OperationName, OperationTable } from './operation.ts';

export type Request = {
  [Name in OperationName]: { readonly serial: number; readonly name: Name; readonly args: OperationTable[Name]['args'] };
}[OperationName];

export interface ErrorMessage {
  readonly code: string;
  readonly text: string;
  readonly configPath: string | undefined;
  readonly hint: string | undefined;
  readonly syscall: { readonly name: string; readonly errno: number; readonly object: string | undefined } | undefined;
  /** Of an error that is no RuntimeError: a mistake in the program. */
  readonly stack: string | undefined;
}

export type Reply =
  | { readonly kind: 'result'; readonly serial: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly serial: number; readonly error: ErrorMessage }
  | { readonly kind: 'warning'; readonly message: string };

export function errorMessage(error: unknown): ErrorMessage {
  const nothing = { configPath: undefined, hint: undefined, syscall: undefined, stack: undefined };
  if (error instanceof SyscallError) {
    const { syscall: name, errno, object } = error;
    return {
      ...nothing,
      code: error.code,
      text: error.message,
      configPath: error.configPath,
      hint: error.hint,
      syscall: { name, errno, object },
    };
  }
  if (error instanceof RuntimeError) {
    return { ...nothing, code: error.code, text: error.message, configPath: error.configPath, hint: error.hint };
  }
  if (error instanceof Error) return { ...nothing, code: 'bug', text: error.message, stack: error.stack };
  return { ...nothing, code: 'bug', text: String(error) };
}

export function errorOf({ code, text, configPath, hint, syscall, stack }: ErrorMessage): Error {
  const details = { ...(configPath === undefined ? {} : { configPath }), ...(hint === undefined ? {} : { hint }) };
  if (syscall !== undefined) {
    const { name, errno, object } = syscall;
    return new SyscallError({ ...details, syscall: name, errno, ...(object === undefined ? {} : { object }) }, text);
  }
  if (code !== 'bug') return new RuntimeError(code, text, details);
  const error = new Error(text);
  if (stack !== undefined) error.stack = stack;
  return error;
}
