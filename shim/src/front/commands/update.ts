import { anyOfJson, JSON_TYPES } from '../../../../specs/containerd/any.ts';
import { stringifyJson } from '../../../../specs/json/stringify-json.ts';
import { findContainer, writeRecord } from '../../container/containers.ts';
import { invalid } from '../../container/errors.ts';
import { recordContainerEvent } from '../../container/events.ts';
import { isRunning } from '../../container/record.ts';
import { runtimeResources } from '../../container/resources.ts';
import { forEach } from '../cli/for-each.ts';
import type { Command } from '../context.ts';
import { resourcesOf, restartPolicyOf } from '../options/limits.ts';

export const update: Command = (context, args) => {
  const changes = resourcesOf(args);
  const restart = args.has('restart') ? { RestartPolicy: restartPolicyOf(args.value('restart')) } : {};
  if (Object.keys(changes).length === 0 && !args.has('restart'))
    throw invalid('You must provide one or more flags when using this command.');
  return forEach(context, args.positionals, async (text) => {
    const { record, state } = findContainer(context.places, text);
    if (record.HostConfig.AutoRemove && restart.RestartPolicy !== undefined && restart.RestartPolicy.Name !== 'no') {
      throw invalid('Restart policy cannot be updated because AutoRemove is enabled for the container');
    }
    const HostConfig = { ...record.HostConfig, ...changes, ...restart };
    const resources = runtimeResources(HostConfig);
    // First where it can fail.
    if (isRunning(state) && Object.keys(changes).length > 0) {
      const { tasks } = await context.shim();
      await tasks.Update({ id: record.Id, resources: anyOfJson(JSON_TYPES.linuxResources, stringifyJson(resources)) });
    }
    writeRecord(context.places, { ...record, HostConfig });
    recordContainerEvent(context.places, record, 'update');
    context.print(text);
  });
};
