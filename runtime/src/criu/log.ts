/** What CRIU's log says of a failure. Pure. */

/** `(00.303523) Error (criu/files-reg.c:1790): Can't lookup …`, with or without the time. */
const ERROR_LINE = /^(?:\([\d.]+\)\s*)?(?:pie:\s*\d+:\s*)?(?:\d+:\s*)?Error \([^)]*\):\s*(.*)$/;
/** It goes on without that. */
const HARMLESS = /Can't setup RLIMIT_NOFILE for self/;

/** The first error is the reason, those after it are what came of it. Undefined where there is none. */
export function firstError(log: string): string | undefined {
  for (const line of log.split('\n')) {
    const text = ERROR_LINE.exec(line)?.[1];
    if (text !== undefined && !HARMLESS.test(text)) return text.trim();
  }
  return undefined;
}
