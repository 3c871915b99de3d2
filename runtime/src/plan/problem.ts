/** A configuration that is valid by the specification and yet cannot be carried out. */
import { RuntimeError } from '../base/errors.ts';

export function planError(configPath: string, message: string, hint?: string): RuntimeError {
  return new RuntimeError('plan', `${configPath}: ${message}`, { configPath, ...(hint === undefined ? {} : { hint }) });
}
