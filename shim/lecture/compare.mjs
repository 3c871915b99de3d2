// Two givings of the lecture, side by side: where their outputs are the same but for what differs from run to run.

/** @typedef {import('./lecture.mjs').Done} Done */

/** What terminals are told beside text (ECMA-48). */
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[\\d;?]*[a-zA-Z]`, 'g');

/** @param {string} text */
export function withoutEscapes(text) {
  return text.replace(ESCAPES, '');
}

/** Ids, times, sizes and spaces between columns. @param {string} text */
function plain(text) {
  return (
    withoutEscapes(text)
      .replaceAll('\r', '')
      .replace(/\b(sha256:)?[a-f0-9]{64}\b/g, '<id>')
      .replace(/\b[a-f0-9]{12}\b/g, '<id>')
      .replace(/\d+(\.\d+)? ?([kMG]i?)?B\b/g, '<size>')
      .replace(/(About a|An|\d+|Less than a) (second|minute|hour)s?( ago)?/gi, '<time>')
      .replace(/\d{4}-\d\d-\d\dT[\d:.+Z-]+/g, '<time>')
      // Of date(1), of which a clock has said more or fewer.
      .replace(/(\w{3} \w{3} +\d+ [\d:]{8} \w+ \d{4}\s*)+/g, '<dates>')
      .replace(/:\d{5}\b/g, ':<port>')
      .replace(/[ \t]+/g, ' ')
      .trim()
  );
}

/** @param {readonly Done[]} ours @param {readonly Done[]} theirs */
export function compareRuns(ours, theirs) {
  const rows = ours.map((one, index) => {
    const other = theirs[index];
    const same = other !== undefined && plain(one.output) === plain(other.output);
    return `| \`docker ${one.command}\` | ${one.code} | ${other?.code ?? ''} | ${same ? 'the same' : 'differs'} |`;
  });
  const equalOutputs = rows.filter((row) => row.endsWith('the same |')).length;
  const equalCodes = ours.filter((one, index) => one.code === theirs[index]?.code).length;
  return [
    '',
    '| command | exit code | of podman | output |',
    '| --- | --- | --- | --- |',
    ...rows,
    `${equalCodes} of ${ours.length} exit codes and ${equalOutputs} outputs are the same`,
    '',
  ].join('\n');
}
