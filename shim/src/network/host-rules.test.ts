import { restoreText } from './host-rules.ts';

const lab = { bridge: 'tsctl-lab', subnet: '10.89.1.0/24', internal: false };

/** Of the chains of one table, without their name. */
function rulesOf(text: string, table: string): string[] {
  const section = text.split('COMMIT\n').find((one) => one.includes(`*${table}\n`)) ?? '';
  return section.split('\n').flatMap((line) => (line.startsWith('-A TSCTL-tsctl-lab ') ? [line.slice('-A TSCTL-tsctl-lab '.length)] : []));
}

describe('restoreText', () => {
  it('hides the subnet behind the host, but not from itself', () => {
    expect(rulesOf(restoreText(lab), 'nat')).toEqual(['-s 10.89.1.0/24 ! -o tsctl-lab -j MASQUERADE']);
  });

  it('lets out, lets in what is published, and nothing into another network', () => {
    const rules = rulesOf(restoreText(lab), 'filter');
    expect(rules.indexOf('-i tsctl-lab -o tsctl+ -j DROP')).toBeGreaterThan(rules.indexOf('-i tsctl-lab -o tsctl-lab -j ACCEPT'));
    expect(rules.indexOf('-i tsctl-lab -j ACCEPT')).toBeGreaterThan(rules.indexOf('-i tsctl-lab -o tsctl+ -j DROP'));
    expect(rules.at(-1)).toBe('-o tsctl-lab -j DROP');
    expect(rules.filter((rule) => rule.includes('DNAT'))).toHaveLength(2);
  });

  it('keeps an internal network to itself', () => {
    const text = restoreText({ ...lab, internal: true });
    expect(rulesOf(text, 'nat')).toEqual([]);
    expect(rulesOf(text, 'filter')).toEqual(['-i tsctl-lab -o tsctl-lab -j ACCEPT', '-i tsctl-lab -j DROP', '-o tsctl-lab -j DROP']);
  });

  it('empties the chains that it fills', () => {
    expect(restoreText(lab).match(/^:TSCTL-tsctl-lab - \[0:0\]$/gm)).toHaveLength(2);
  });
});
