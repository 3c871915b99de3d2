import type { Config } from '../../../../specs/runtime/config.ts';
import {
  MOUNT_EXTENSION_OPTIONS,
  MOUNT_FLAG_OPTIONS,
  MOUNT_PROPAGATION_OPTIONS,
  MOUNT_RECURSIVE_OPTIONS,
  type Mount,
} from '../../../../specs/runtime/mounts.ts';
import { hasIdMapOption, isBindMount, isIdMapped } from '../mount-kind.ts';
import { hasNamespace } from '../namespaces.ts';
import { checkItems, isAbsolute, type Report, type Rule } from './rule.ts';

const REFERENCE = 'config.md#mounts';
const OPTIONS_REFERENCE = 'config.md#linux-mount-options';

/** The options that are not data for the file system. */
const KNOWN_OPTIONS: ReadonlySet<string> = new Set<string>([
  ...MOUNT_FLAG_OPTIONS,
  ...MOUNT_PROPAGATION_OPTIONS,
  ...MOUNT_RECURSIVE_OPTIONS,
  ...MOUNT_EXTENSION_OPTIONS,
]);

export const mountErrors: readonly Rule<Config>[] = [
  forEachMount('mount-destination', REFERENCE, ({ destination }, report) => {
    if (destination === '') report('destination', destination, 'must not be empty');
  }),
  forEachMount('mount-source', REFERENCE, (mount, report) => {
    if (isBindMount(mount) && !isRemount(mount) && mount.source === undefined) report('source', undefined, 'is required for a bind mount');
  }),
  forEachMount('mount-type', 'config.md#posix-platform-mounts', (mount, report) => {
    if (isBindMount(mount) || isRemount(mount)) return;
    if (mount.type === undefined) report('type', undefined, 'is required, unless options has bind, rbind or remount');
    // The kernel knows no such file system. Its "no such device" would not lead anybody here.
    if (mount.type === 'bind') report('type', mount.type, 'does not make a bind mount: options must have bind or rbind');
  }),
  forEachMount('mount-bind-data', OPTIONS_REFERENCE, (mount, report) => {
    if (!isBindMount(mount)) return;
    // The kernel ignores data in a bind mount; whoever wrote the option would be deceived.
    checkItems(mount.options, 'options', report, (option, reportItem) => {
      if (!KNOWN_OPTIONS.has(option)) reportItem('', option, 'has no effect on a bind mount');
    });
  }),
  forEachMount('mount-idmap-pair', 'config.md#posix-platform-mounts', ({ uidMappings, gidMappings }, report) => {
    if (uidMappings === undefined && gidMappings === undefined) return;
    if (!uidMappings?.length) report('uidMappings', undefined, 'must be given along with gidMappings, and not be empty');
    if (!gidMappings?.length) report('gidMappings', undefined, 'must be given along with uidMappings, and not be empty');
  }),
  forEachMount('mount-idmap-bind', OPTIONS_REFERENCE, (mount, report) => {
    if (isIdMapped(mount) && !isBindMount(mount)) report('', undefined, 'can have mapped ids only if it is a bind mount');
  }),
  forEachMount('mount-idmap-mappings', OPTIONS_REFERENCE, (mount, report, config) => {
    const hasMappings = mount.uidMappings !== undefined || mount.gidMappings !== undefined;
    if (hasIdMapOption(mount) && !hasMappings && !hasNamespace(config, 'user')) {
      report('', undefined, 'must have uidMappings and gidMappings, as there is no user namespace whose mappings could be used');
    }
  }),
];

export const mountWarnings: readonly Rule<Config>[] = [
  forEachMount('mount-destination-relative', REFERENCE, ({ destination }, report) => {
    if (!isAbsolute(destination)) report('destination', destination, 'is relative, which is deprecated; it is taken as relative to /');
  }),
  forEachMount('mount-idmap-option', 'config.md#posix-platform-mounts', (mount, report) => {
    if (isIdMapped(mount) && !hasIdMapOption(mount)) report('', undefined, 'has mappings and should have the option idmap or ridmap');
  }),
  forEachMount('mount-tmpcopyup', OPTIONS_REFERENCE, (mount, report) => {
    const index = mount.options?.indexOf('tmpcopyup') ?? -1;
    const hasEffect = mount.type === 'tmpfs' && !isBindMount(mount);
    if (index !== -1 && !hasEffect) report(`options[${index}]`, 'tmpcopyup', 'has an effect on a tmpfs only');
  }),
];

/** Changes what is there: it has neither type nor source of its own. */
function isRemount({ options }: Mount): boolean {
  return options?.includes('remount') === true;
}

function forEachMount(id: string, reference: string, check: (mount: Mount, report: Report, config: Config) => void): Rule<Config> {
  return {
    id,
    reference,
    check(config, report) {
      checkItems(config.mounts, 'mounts', report, (mount, reportItem) => check(mount, reportItem, config));
    },
  };
}
