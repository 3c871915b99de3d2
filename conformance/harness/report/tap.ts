import { REQUIREMENTS } from '../../requirements/all.ts';
import type { Outcome } from '../outcome.ts';
import { SPEC_URL } from '../requirement.ts';
import type { Report } from './report.ts';

/** TAP version 14. Known differences are TODO, what cannot be tested here is SKIP: neither makes a run fail. */
export function formatTap({ outcomes }: Report): string {
  return ['TAP version 14', `1..${outcomes.length}`, ...outcomes.flatMap((outcome, index) => lines(outcome, index + 1)), ''].join('\n');
}

function lines(outcome: Outcome, number: number): string[] {
  const { test, status, message, reason } = outcome;
  const name = escapeDirective(`${test.id}: ${test.title}`);
  const point = `${number} - ${name}`;
  if (status === 'passed') return [`ok ${point}`];
  if (status === 'not testable') return [`ok ${point} # SKIP ${oneLine(reason)}`];
  const directive = status === 'known' ? ` # TODO ${oneLine(reason)}` : '';
  return [`not ok ${point}${directive}`, ...diagnosis(message ?? '', test.covers)];
}

function diagnosis(message: string, covers: readonly string[]): string[] {
  const requirements = [...REQUIREMENTS].filter(([id]) => covers.includes(id));
  return [
    '  ---',
    '  message: |',
    ...message.split('\n').map((line) => `    ${line}`),
    '  requirements:',
    ...requirements.flatMap(([id, { level, text, section }]) => [
      `    - ${JSON.stringify(`${id}: ${level}: ${text}`)}`,
      `    - ${SPEC_URL}${section}`,
    ]),
    '  ...',
  ];
}

/** A number sign would begin a directive. */
function escapeDirective(text: string): string {
  return text.replace(/[\\#]/g, '\\$&');
}

function oneLine(text = ''): string {
  return text.replace(/\s+/g, ' ');
}
