import { countOutcomes, type Outcome } from '../outcome.ts';
import { areaOf } from '../test-case.ts';
import type { Report } from './report.ts';

/** JUnit's XML: a suite for each area. Known differences and what cannot be tested here are skipped tests. */
export function formatJunit({ runtime, outcomes, durationMs }: Report): string {
  const areas = [...new Set(outcomes.map((outcome) => areaOf(outcome.test.id)))];
  const attributes = { name: `conformance of ${runtime.name} ${runtime.version}`, ...totals(outcomes), time: seconds(durationMs) };
  const suites = areas.flatMap((area) =>
    suite(
      area,
      outcomes.filter((outcome) => areaOf(outcome.test.id) === area),
    ),
  );
  return ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites${write(attributes)}>`, ...suites, '</testsuites>', ''].join('\n');
}

function suite(area: string, outcomes: readonly Outcome[]): string[] {
  const time = seconds(outcomes.reduce((sum, outcome) => sum + outcome.durationMs, 0));
  return [`  <testsuite${write({ name: area, ...totals(outcomes), time })}>`, ...outcomes.flatMap(testCase), '  </testsuite>'];
}

function testCase({ test, status, message = '', reason = '', durationMs }: Outcome): string[] {
  const [, topic = '', ...name] = test.id.split('/');
  const open = `    <testcase${write({ classname: `${areaOf(test.id)}.${topic}`, name: `${name.join('/')}: ${test.title}`, time: seconds(durationMs) })}`;
  if (status === 'passed') return [`${open}/>`];
  const inner =
    status === 'failed'
      ? `<failure${write({ message: firstLine(message) })}>${escapeXml(message)}</failure>`
      : `<skipped${write({ message: reason })}/>`;
  return [`${open}>`, `      ${inner}`, '    </testcase>'];
}

function totals(outcomes: readonly Outcome[]): Record<string, string> {
  const counts = countOutcomes(outcomes);
  return { tests: String(outcomes.length), failures: String(counts.failed), skipped: String(counts.known + counts['not testable']) };
}

function write(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** XML has no way to write most of the control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g;

function escapeXml(text: string): string {
  return text.replace(NOT_XML, '\ufffd').replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}
