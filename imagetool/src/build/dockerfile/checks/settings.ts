/** `# check=skip=A,B;experimental=C;error=true`, at the top of the file or above one instruction. */

import type { RuleName } from './rules.ts';
import { RULES } from './rules.ts';

export interface CheckSettings {
  /** Names of rules, or all. */
  readonly skip: 'all' | readonly string[];
  readonly experimental: 'all' | readonly string[];
  /** Findings make the build fail. */
  readonly error: boolean;
}

export const DEFAULT_SETTINGS: CheckSettings = { skip: [], experimental: [], error: false };

/** A string is what is wrong with the text. */
export function parseCheckSettings(text: string): CheckSettings | string {
  let settings = DEFAULT_SETTINGS;
  for (const part of text.split(';')) {
    // What comes after a blank is no part of it.
    const [option = ''] = part.trim().split(' ');
    const equals = option.indexOf('=');
    const [key, value] = [option.slice(0, Math.max(equals, 0)).trim(), option.slice(equals + 1).trim()];
    if (key === 'skip' || key === 'experimental')
      settings = { ...settings, [key]: value === 'all' ? 'all' : value.split(',').map((name) => name.trim()) };
    else if (key === 'error' && /^(?:1|t|true|0|f|false)$/i.test(value)) settings = { ...settings, error: /^[1t]/i.test(value) };
    else return `${JSON.stringify(option)}: there are skip=, experimental= and error=true`;
  }
  return settings;
}

/** Both hold. */
export function mergeSettings(a: CheckSettings, b: CheckSettings): CheckSettings {
  return { skip: union(a.skip, b.skip), experimental: union(a.experimental, b.experimental), error: a.error || b.error };
}

function union(a: CheckSettings['skip'], b: CheckSettings['skip']): CheckSettings['skip'] {
  return a === 'all' || b === 'all' ? 'all' : [...a, ...b];
}

export function isChecked(settings: CheckSettings, name: RuleName): boolean {
  if ('isExperimental' in RULES[name]) return settings.experimental === 'all' || settings.experimental.includes(name);
  return settings.skip !== 'all' && !settings.skip.includes(name);
}
