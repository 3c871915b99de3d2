/**
 * The native front of a Node command: it answers by itself what takes no time, and becomes Node for everything else. Whatever it is not sure about
 * (an unknown flag, a file that is missing, an error) is for Node, which then says it in its own words.
 */
import type { Sys } from '../sys/sys.ts';
import { become } from './become.ts';
import { tryCall } from './call.ts';
import { EAGAIN, EPIPE, syscallError } from './errno.ts';
import { POLLOUT, poll } from './poll.ts';

declare const TSRUN_NODE: string;
declare const TSRUN_DIST: string;

const STDOUT = 1;
const STDERR = 2;
/** Node would run what they name. As in .scripts/build/launcher.c, which starts the commands without a front. */
const FOR_NODE = ['NODE_OPTIONS', 'NODE_PATH'];
const EXIT_CANNOT_START = 127;

/**
 * What the command prints, as a whole or piece by piece; undefined: Node has to do it. Once a piece has been given, there is no way back to Node.
 * Nothing may have been changed when it returns undefined or throws.
 */
export type Answer = (sys: Sys) => string | Iterable<string | ArrayBuffer> | undefined;

/** Returns the exit status. @param bundle the command's script for Node, in dist/ */
export function answerOrBecomeNode(sys: Sys, bundle: string, answer: Answer): number {
  const given = attempt(sys, answer);
  if (given === undefined) return becomeNode(sys, bundle);
  try {
    for (const piece of typeof given === 'string' ? [given] : given) {
      // A reader that has seen enough (`| head`) is no failure.
      if (!writeOut(sys, typeof piece === 'string' ? sys.encode(piece) : piece)) break;
    }
    return 0;
  } catch (error) {
    complain(sys, `${bundle.replace(/\.cjs$/, '')}: ${textOf(error)}`);
    return 1;
  }
}

function attempt(sys: Sys, answer: Answer): ReturnType<Answer> {
  try {
    return answer(sys);
  } catch {
    return undefined;
  }
}

function becomeNode(sys: Sys, bundle: string): number {
  const argv = [TSRUN_NODE, '--no-warnings', `${TSRUN_DIST}/${bundle}`, ...sys.argv.slice(1)];
  try {
    return become(sys, { path: TSRUN_NODE, argv, without: FOR_NODE });
  } catch (error) {
    complain(sys, `${textOf(error)}; run 'npm run build' again if Node has moved`);
    return EXIT_CANNOT_START;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function complain(sys: Sys, text: string): void {
  const line = sys.encode(`${text}\n`);
  tryCall(sys, 'write', STDERR, line, line.byteLength);
}

/** False where nobody reads. Standard output may be non-blocking: it belongs to our caller. */
function writeOut(sys: Sys, bytes: ArrayBuffer): boolean {
  const start = sys.address(bytes);
  for (let written = 0; written < bytes.byteLength; ) {
    const result = tryCall(sys, 'write', STDOUT, start + written, bytes.byteLength - written);
    if (result === -EPIPE) return false;
    if (result === -EAGAIN) poll(sys, [{ fd: STDOUT, events: POLLOUT }]);
    else if (result < 0) throw syscallError({ syscall: 'write', errno: -result, object: 'standard output' });
    else written += result;
  }
  return true;
}
