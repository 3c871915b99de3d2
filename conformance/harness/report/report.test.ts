import { sampleReport } from '../fixture.ts';
import { formatJson } from './json.ts';
import { formatJunit } from './junit.ts';
import { formatSummary } from './summary.ts';
import { formatTap } from './tap.ts';

describe('formatTap', () => {
  const lines = formatTap(sampleReport()).split('\n');

  it('begins with the version and the plan', () => {
    expect(lines.slice(0, 2)).toEqual(['TAP version 14', '1..4']);
  });

  it('makes known differences TODO and what cannot be tested SKIP', () => {
    expect(lines).toContain('not ok 3 - b/y/known: title of b/y/known # TODO as they say (x#1)');
    expect(lines).toContain('ok 4 - b/y/skipped: title of b/y/skipped # SKIP needs a moon');
  });

  it('escapes number signs in titles', () => {
    expect(lines).toContain('not ok 2 - a/x/fails: with <tags> & \\#signs');
  });

  it('gives the message, the requirement and its link', () => {
    const text = lines.join('\n');
    expect(text).toContain('    first\n    second "<&>"\n');
    expect(text).toContain('runtime/kill/sends: MUST: Kill sends the signal');
    expect(text).toContain('runtime.md#kill');
  });
});

describe('formatJunit', () => {
  const text = formatJunit(sampleReport());

  it('has a suite for each area, with its counts', () => {
    expect(text).toContain('<testsuite name="a" tests="2" failures="1" skipped="0" time="0.030">');
    expect(text).toContain('<testsuite name="b" tests="2" failures="0" skipped="2" time="0.030">');
  });

  it('escapes what XML does not take', () => {
    expect(text).toContain('<failure message="first">first\nsecond &quot;&lt;&amp;&gt;&quot;</failure>');
    expect(text).toContain('name="fails: with &lt;tags&gt; &amp; #signs"');
  });
});

describe('formatJson', () => {
  it('has counts, tests and requirements', () => {
    const document = JSON.parse(formatJson(sampleReport()));
    expect(document.counts).toEqual({ passed: 1, failed: 1, known: 1, 'not testable': 1 });
    expect(document.tests[1]).toMatchObject({ id: 'a/x/fails', status: 'failed', message: 'first\nsecond "<&>"' });
    expect(document.requirements).toContainEqual(
      expect.objectContaining({ id: 'runtime/kill/sends', level: 'MUST', status: 'failed', tests: ['a/x/fails'] }),
    );
    expect(document.requirements).toContainEqual(expect.objectContaining({ id: 'config/selinux', status: 'untestable' }));
  });
});

describe('formatSummary', () => {
  it('ends with the counts', () => {
    expect(formatSummary(sampleReport())).toMatch(
      /x 1\.0\.0: 1 passed, 1 failed, 1 known differences, 1 not testable here, in 0\.1 s; 3 of \d+ requirements covered\n$/,
    );
  });

  it('names the reasons once', () => {
    expect(formatSummary(sampleReport())).toContain('Not testable here:\n  needs a moon: b/y/skipped\n');
  });
});
