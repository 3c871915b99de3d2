/** The whole command line: every command, and help. */
import type { Sys } from '../sys/sys.ts';
import type { DefinedCommand } from './command.ts';
import { checkpointCommand } from './commands/checkpoint.ts';
import { createCommand } from './commands/create.ts';
import { deleteCommand } from './commands/delete.ts';
import { doctorCommand } from './commands/doctor.ts';
import { eventsCommand } from './commands/events.ts';
import { execCommand } from './commands/exec.ts';
import { featuresCommand } from './commands/features.ts';
import { killCommand } from './commands/kill.ts';
import { listCommand } from './commands/list.ts';
import { pauseCommand } from './commands/pause.ts';
import { planCommand } from './commands/plan.ts';
import { psCommand } from './commands/ps.ts';
import { restoreCommand } from './commands/restore.ts';
import { resumeCommand } from './commands/resume.ts';
import { runCommand } from './commands/run.ts';
import { specCommand } from './commands/spec.ts';
import { startCommand } from './commands/start.ts';
import { stateCommand } from './commands/state.ts';
import { updateCommand } from './commands/update.ts';
import { runFully } from './full.ts';

const COMMANDS: readonly DefinedCommand[] = [
  createCommand,
  startCommand,
  runCommand,
  execCommand,
  stateCommand,
  listCommand,
  psCommand,
  killCommand,
  pauseCommand,
  resumeCommand,
  updateCommand,
  eventsCommand,
  checkpointCommand,
  restoreCommand,
  deleteCommand,
  specCommand,
  planCommand,
  featuresCommand,
  doctorCommand,
];

/** Does what the command line says and returns the exit status. */
export function main(sys: Sys): number {
  return runFully(sys, COMMANDS);
}
