/** Writing the maps of a new user namespace (user_namespaces(7)). */
import { RuntimeError } from '../../base/errors.ts';
import { tryCall } from '../../linux/call.ts';
import { writeKernelFile } from '../../linux/files.ts';
import { AT_FDCWD } from '../../linux/open-flags.ts';
import { shellStatus, waitForExit } from '../../linux/processes.ts';
import { spawn } from '../../linux/spawn.ts';
import type { IdMap } from '../../plan/steps.ts';
import type { Sys } from '../../sys/sys.ts';

const DIRECTORIES = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/bin', '/run/wrappers/bin'];

function mapText(mappings: readonly IdMap[]): string {
  return mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');
}

/** One's own id alone can be mapped without help. */
function isOwnOnly(mappings: readonly IdMap[], id: number): boolean {
  const [only, ...others] = mappings;
  return only !== undefined && others.length === 0 && only.size === 1 && only.hostID === id;
}

/** newuidmap(1) and newgidmap(1): setuid tools that check /etc/subuid and /etc/subgid. */
function runMapTool(sys: Sys, tool: 'newuidmap' | 'newgidmap', pid: number, mappings: readonly IdMap[]): void {
  const path = DIRECTORIES.map((directory) => `${directory}/${tool}`).find(
    (candidate) => tryCall(sys, 'faccessat', AT_FDCWD, candidate, 1) === 0,
  );
  const configPath = tool === 'newuidmap' ? 'linux.uidMappings' : 'linux.gidMappings';
  if (path === undefined) {
    throw new RuntimeError('id-map', `${configPath}: ${tool} is needed to map more than one's own id, and is not installed`, {
      configPath,
      hint: 'install the package uidmap (Debian) or shadow-utils (Fedora)',
    });
  }
  const numbers = mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String));
  const child = spawn(sys, {
    path,
    argv: [tool, String(pid), ...numbers],
    environ: [],
    fds: [
      [2, 1],
      [2, 2],
    ],
  });
  const exit = waitForExit(sys, child);
  if (exit !== undefined && shellStatus(exit) === 0) return;
  throw new RuntimeError('id-map', `${configPath}: ${tool} ${pid} ${numbers.join(' ')} failed`, {
    configPath,
    hint: `the ranges must be this user's in ${tool === 'newuidmap' ? '/etc/subuid' : '/etc/subgid'}`,
  });
}

/** Maps the ids of the user namespace that process `pid` has just made. */
export function writeIdMaps(sys: Sys, pid: number, uidMappings: readonly IdMap[], gidMappings: readonly IdMap[]): void {
  const euid = tryCall(sys, 'geteuid');
  const egid = tryCall(sys, 'getegid');
  if (euid === 0) {
    writeKernelFile(sys, `/proc/${pid}/gid_map`, mapText(gidMappings));
    writeKernelFile(sys, `/proc/${pid}/uid_map`, mapText(uidMappings));
    return;
  }
  if (isOwnOnly(gidMappings, egid)) {
    // Without this a process could drop a group that denies it access (CVE-2014-8989).
    writeKernelFile(sys, `/proc/${pid}/setgroups`, 'deny');
    writeKernelFile(sys, `/proc/${pid}/gid_map`, mapText(gidMappings));
  } else runMapTool(sys, 'newgidmap', pid, gidMappings);
  if (isOwnOnly(uidMappings, euid)) writeKernelFile(sys, `/proc/${pid}/uid_map`, mapText(uidMappings));
  else runMapTool(sys, 'newuidmap', pid, uidMappings);
}
