/** RUN, CMD, ENTRYPOINT and SHELL: what runs. */

import type { CmdInstruction, Command, EntrypointInstruction, RunInstruction, ShellInstruction } from '../ast.ts';
import { ProblemError } from '../error.ts';
import { parseExecForm } from '../exec-form.ts';
import { choiceOf } from '../flags.ts';
import { flagsOf, type InstructionParts, needRest } from '../instruction-parts.ts';
import { MountError, mountSource } from '../mount.ts';
import type { Span } from '../span.ts';

export function parseRun(parts: InstructionParts): RunInstruction {
  const flags = flagsOf(parts, { mount: 'values', network: 'value', security: 'value' });
  const command = commandOf(needRest(parts, 'a command'));
  if (command.form === 'exec' && command.argv.length === 0) throw new ProblemError(parts.rest.range, 'RUN needs a command');
  const mounts = flags.values('mount');
  for (const mount of mounts) {
    try {
      mountSource(mount.text);
    } catch (error) {
      if (error instanceof MountError) throw new ProblemError(mount.range, `--mount: ${error.message}`, error.hint);
      throw error;
    }
  }
  return {
    ...parts.base,
    kind: 'RUN',
    command,
    heredocs: parts.heredocs,
    mounts,
    network: choiceOf(flags.value('network'), 'network', ['default', 'none', 'host']) ?? 'default',
    security: choiceOf(flags.value('security'), 'security', ['sandbox', 'insecure']) ?? 'sandbox',
  };
}

export function parseCmd(parts: InstructionParts): CmdInstruction {
  flagsOf(parts);
  return { ...parts.base, kind: 'CMD', command: commandOf(needRest(parts, 'a command; [] takes away the one of the base image')) };
}

export function parseEntrypoint(parts: InstructionParts): EntrypointInstruction {
  flagsOf(parts);
  return { ...parts.base, kind: 'ENTRYPOINT', command: commandOf(needRest(parts, 'a command; [] takes away the one of the base image')) };
}

export function parseShell(parts: InstructionParts): ShellInstruction {
  flagsOf(parts);
  const words = parseExecForm(needRest(parts, 'a JSON array, as SHELL ["/bin/bash", "-c"]'));
  if (words === undefined || words.length === 0) {
    throw new ProblemError(parts.rest.range, 'SHELL takes a JSON array with at least one word', 'As SHELL ["/bin/bash", "-c"].');
  }
  return { ...parts.base, kind: 'SHELL', argv: words.map((word) => word.text) };
}

/** Throws ProblemError for an array with anything but strings. */
export function commandOf(rest: Span): Command {
  const argv = parseExecForm(rest);
  if (argv === undefined) return { form: 'shell', line: rest.text, range: rest.range };
  return { form: 'exec', argv: argv.map((word) => word.text), range: rest.range };
}
