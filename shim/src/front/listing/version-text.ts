declare const TSRUN_VERSION: string | undefined;
declare const TSRUN_COMMIT: string | undefined;

/** Put in by the build. */
export const VERSION = typeof TSRUN_VERSION === 'string' ? TSRUN_VERSION : '0.0.0';
export const COMMIT = typeof TSRUN_COMMIT === 'string' ? TSRUN_COMMIT : 'unknown';

export function shortVersion(): string {
  return `tsctl version ${VERSION}, build ${COMMIT.slice(0, 7)}`;
}
