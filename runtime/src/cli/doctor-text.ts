/** A diagnosis for people: what is amiss comes with the way to mend it. */
import type { Diagnosis } from '../operations/doctor/doctor.ts';
import type { Finding, Verdict } from '../operations/doctor/finding.ts';

const MARKS: Readonly<Record<Verdict, string>> = { ok: 'ok', limited: 'LIMITED', missing: 'MISSING' };
const MARK_WIDTH = 9;
const SUBJECT_WIDTH = 18;

export function diagnosisText({ privileged, findings }: Diagnosis): string {
  const areas = [...new Set(findings.map(({ area }) => area))];
  const lines = areas.flatMap((area) => [area, ...findings.filter((finding) => finding.area === area).flatMap(findingLines)]);
  return [`Containers on this host, for ${privileged ? 'root' : 'a user who is not root'}`, '', ...lines, '', summary(findings), ''].join(
    '\n',
  );
}

function findingLines({ subject, verdict, message, remedy }: Finding): string[] {
  const line = `  ${MARKS[verdict].padEnd(MARK_WIDTH)}${subject.padEnd(SUBJECT_WIDTH)}${message}`;
  return remedy === undefined ? [line] : [line, `${' '.repeat(2 + MARK_WIDTH + SUBJECT_WIDTH)}→ ${remedy}`];
}

function summary(findings: readonly Finding[]): string {
  const count = (verdict: Verdict): number => findings.filter((finding) => finding.verdict === verdict).length;
  if (count('missing') > 0) return `No container can run before what is MISSING (${count('missing')}) is mended.`;
  if (count('limited') > 0) return `Containers can run. ${count('limited')} of ${findings.length} findings limit what they can have.`;
  return 'Containers can run, with everything.';
}
