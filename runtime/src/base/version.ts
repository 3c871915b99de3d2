/** The version: `package.json` and git at the time of the build, which puts both in place of these names. */
declare const TSRUN_VERSION: string | undefined;
declare const TSRUN_COMMIT: string | undefined;

/** Where nobody has built anything, as in tests. */
const UNBUILT = 'unbuilt';

export const VERSION = typeof TSRUN_VERSION === 'string' ? TSRUN_VERSION : UNBUILT;
export const COMMIT = typeof TSRUN_COMMIT === 'string' ? TSRUN_COMMIT : UNBUILT;
