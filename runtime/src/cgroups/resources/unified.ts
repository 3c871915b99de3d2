import { formatPath } from '../../../../specs/json/json-path.ts';
import { type ResourceWrite, resourceError } from './write.ts';

/** Files that act on processes instead of limiting them; one of them would stop or end the container while it is being created. */
const ACTIONS: readonly string[] = ['cgroup.procs', 'cgroup.threads', 'cgroup.freeze', 'cgroup.kill', 'cgroup.type'];

/**
 * `linux.resources.unified`: names of files and what is to be written to them. A value of several lines is written line by line, since io.max and
 * its like take one device a write.
 */
export function unifiedWrites(unified: Readonly<Record<string, string>> | undefined): ResourceWrite[] {
  return Object.entries(unified ?? {}).flatMap(([file, text]) => {
    const configPath = formatPath(['linux', 'resources', 'unified', file]);
    const controller = controllerOf(file, configPath);
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((value) => ({ controller, file, value, configPath }));
  });
}

function controllerOf(file: string, configPath: string): string {
  const [controller, parameter] = file.split('.');
  if (file.includes('/') || file.includes('\0'))
    throw resourceError(configPath, `unified resource "${file}" must be a file name (no slashes)`);
  if (controller === undefined || controller === '' || parameter === undefined || parameter === '') {
    throw resourceError(configPath, `unified resource "${file}" must be in the form CONTROLLER.PARAMETER`);
  }
  if (ACTIONS.includes(file)) throw resourceError(configPath, `"${file}" is not a resource: it acts on the processes of the cgroup`);
  return controller;
}
