/** FROM: where a stage begins. */

import { findNearestName } from '../../../../../specs/schema/nearest-name.ts';
import type { FromInstruction } from '../ast.ts';
import { ProblemError } from '../error.ts';
import { flagsOf, type InstructionParts, needRest } from '../instruction-parts.ts';

const STAGE_NAME = /^[a-z][a-z0-9_.-]*$/;

export function parseFrom(parts: InstructionParts): FromInstruction {
  const flags = flagsOf(parts, { platform: 'value' });
  const words = needRest(parts, 'an image, a stage or scratch').split();
  const [image, keyword, name, extra] = words;
  if (image === undefined) throw new ProblemError(parts.rest.range, 'FROM needs an image, a stage or scratch');
  const platform = flags.value('platform');
  const from = { ...parts.base, kind: 'FROM' as const, image: image.toWord(), ...(platform === undefined ? {} : { platform }) };
  if (keyword === undefined) return from;
  if (keyword.text.toUpperCase() !== 'AS' || name === undefined || extra !== undefined) {
    const isAs = findNearestName(keyword.text, ['AS']) !== undefined;
    const hint = isAs ? 'Write FROM image AS name.' : 'A name of a stage comes after AS; a comment has its own line.';
    throw new ProblemError((extra ?? keyword).range, 'FROM takes an image, or an image, AS and a name', hint);
  }
  if (!STAGE_NAME.test(name.text.toLowerCase())) {
    throw new ProblemError(
      name.range,
      `${JSON.stringify(name.text)} cannot be the name of a stage`,
      'It begins with a letter, and goes on with letters, digits, - _ and a full stop.',
    );
  }
  return { ...from, as: { keyword: keyword.toWord(), name: name.toWord() } };
}
