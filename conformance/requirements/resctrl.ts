/** The requirements of `config-linux.md` on Intel RDT. All but the first need a processor that has it, which few machines for tests do. */
import { must, mustNot, type Requirement, type Requirements, untestable } from '../harness/requirement.ts';

const SECTION = 'config-linux.md#intelrdt';
const REASON = 'needs a processor with RDT; a resctrl tree cannot be faked from outside the runtime';

const onHardware = (requirement: Requirement): Requirement => untestable(requirement, REASON);

export const resctrlRequirements = {
  'linux/intel-rdt/not-mounted': must(SECTION, 'Without a mounted resctrl file system it is an error to ask for it.'),
  'linux/intel-rdt/tasks': onHardware(must(SECTION, 'The process is in the tasks of the group of closID.')),
  'linux/intel-rdt/untouched': onHardware(mustNot(SECTION, 'Without intelRdt the resctrl file system is not touched.')),
  'linux/intel-rdt/default-group': onHardware(must(SECTION, 'The closID / is the default group.')),
  'linux/intel-rdt/memory-bandwidth-form': onHardware(must(SECTION, 'A schema of memory bandwidth is one line that starts with MB:.')),
  'linux/intel-rdt/schemata-lines': onHardware(mustNot(SECTION, 'An entry of schemata has no line break.')),
  'linux/intel-rdt/write-order': onHardware(
    must(SECTION, 'The L3 schema is written first, then the one of memory bandwidth, then schemata.'),
  ),
  'linux/intel-rdt/write-schema': onHardware(must(SECTION, 'A schema that is set is written to the group.')),
  'linux/intel-rdt/write-nothing': onHardware(mustNot(SECTION, 'Without a schema nothing is written to one.')),
  'linux/intel-rdt/own-group': onHardware(must(SECTION, 'Without closID the group has the name of the container.')),
  'linux/intel-rdt/create-group': onHardware(must(SECTION, 'A group with schemata that is not there is created.')),
  'linux/intel-rdt/compare-group': onHardware(must(SECTION, 'A group that is there and has other schemata is an error.')),
  'linux/intel-rdt/existing-group': onHardware(must(SECTION, 'A closID without schemata must be there already.')),
  'linux/intel-rdt/remove-own': onHardware(must(SECTION, 'The group that was created for the container goes with it.')),
  'linux/intel-rdt/keep-others': onHardware(mustNot(SECTION, 'A group that was not created for the container stays.')),
  'linux/intel-rdt/monitoring-group': onHardware(
    must(SECTION, 'With monitoring, the container has a monitoring group of its name, removed with it.'),
  ),
  'linux/intel-rdt/monitoring-failure': onHardware(must(SECTION, 'A monitoring group that cannot be made is an error.')),
} as const satisfies Requirements;
