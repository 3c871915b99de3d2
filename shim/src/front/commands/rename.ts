import { findContainer, renameContainer } from '../../container/containers.ts';
import { invalid } from '../../container/errors.ts';
import { recordContainerEvent } from '../../container/events.ts';
import type { Command } from '../context.ts';

export const rename: Command = async (context, args) => {
  const [text = '', name = ''] = args.positionals;
  const { record } = findContainer(context.places, text);
  if (name === '') throw invalid('Neither old nor new names may be empty');
  if (record.Name === name) throw invalid('Renaming a container with the same name as its current name');
  const renamed = renameContainer(context.places, record, name.replace(/^\//, ''));
  recordContainerEvent(context.places, renamed, 'rename', { oldName: `/${record.Name}` });
  return 0;
};
