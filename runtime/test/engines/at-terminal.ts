import { createNodeSys } from '../../src/sys/node.ts';
import { Pty } from '../pty.ts';
import type { Driver } from './compare.ts';

const ROWS = 31;
const COLUMNS = 97;

/** Runs an engine's command at a terminal of 31 rows and 97 columns, and talks to it. Returns the exit status. */
export async function atTerminal(driver: Driver, words: readonly string[], talk: (pty: Pty) => void): Promise<number | null> {
  const pty = new Pty(createNodeSys(), ROWS, COLUMNS);
  try {
    const child = driver.enclosure.spawn(driver.commandLine(words), [pty.slave, pty.slave, pty.slave], driver.env);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    talk(pty);
    const status = await ended;
    driver.note(`${words.join(' ')}\n=> ${status}\n`);
    return status;
  } finally {
    pty.close();
  }
}
