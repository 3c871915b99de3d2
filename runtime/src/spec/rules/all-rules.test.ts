import { CONFIG_ERRORS, CONFIG_WARNINGS, PROCESS_ERRORS, PROCESS_WARNINGS } from './all-rules.ts';
import { nulErrors } from './nul.ts';
import { resourceErrors } from './resources.ts';

const RULES = [CONFIG_ERRORS, CONFIG_WARNINGS, PROCESS_ERRORS, PROCESS_WARNINGS, resourceErrors, nulErrors].flatMap((rules) =>
  rules.map(({ id, reference }) => ({ id, reference })),
);

describe('the rules', () => {
  it('have names of their own', () => {
    const ids = RULES.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)+$/.test(id))).toEqual([]);
  });

  it('say where they come from: a section of the specification, or a manual page', () => {
    expect(RULES.filter(({ reference }) => !/^(config(-linux)?\.md#[a-z0-9-]+|[a-z_]+\([2-8]\))$/.test(reference))).toEqual([]);
  });
});
