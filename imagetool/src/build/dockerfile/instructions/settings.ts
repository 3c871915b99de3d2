/** WORKDIR, USER, EXPOSE, VOLUME, STOPSIGNAL and MAINTAINER: one value, or a list of them. */

import type {
  ExposeInstruction,
  MaintainerInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from '../ast.ts';
import { ProblemError } from '../error.ts';
import { parseExecForm } from '../exec-form.ts';
import { flagsOf, type InstructionParts, needRest } from '../instruction-parts.ts';

export function parseWorkdir(parts: InstructionParts): WorkdirInstruction {
  flagsOf(parts);
  return { ...parts.base, kind: 'WORKDIR', path: needRest(parts, 'a path').toWord() };
}

export function parseUser(parts: InstructionParts): UserInstruction {
  flagsOf(parts);
  return { ...parts.base, kind: 'USER', user: needRest(parts, 'a name or a number').toWord() };
}

export function parseStopsignal(parts: InstructionParts): StopsignalInstruction {
  flagsOf(parts);
  return { ...parts.base, kind: 'STOPSIGNAL', signal: needRest(parts, 'a signal').toWord() };
}

export function parseMaintainer(parts: InstructionParts): MaintainerInstruction {
  flagsOf(parts);
  return { ...parts.base, kind: 'MAINTAINER', name: needRest(parts, 'a name').toWord() };
}

export function parseExpose(parts: InstructionParts): ExposeInstruction {
  flagsOf(parts);
  const ports = needRest(parts, 'a port').split();
  return { ...parts.base, kind: 'EXPOSE', ports: ports.map((port) => port.toWord()) };
}

export function parseVolume(parts: InstructionParts): VolumeInstruction {
  flagsOf(parts);
  const rest = needRest(parts, 'a path');
  const paths = parseExecForm(rest) ?? rest.split().map((word) => word.toWord());
  if (paths.length === 0) throw new ProblemError(rest.range, 'VOLUME needs a path');
  const trimmed = paths.map((path) => ({ ...path, text: path.text.trim() }));
  for (const path of trimmed) {
    if (path.text === '') throw new ProblemError(path.range, 'the path of a volume is empty');
  }
  return { ...parts.base, kind: 'VOLUME', paths: trimmed };
}
