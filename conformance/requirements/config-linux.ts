/** The requirements of `config-linux.md`. */
import { must, mustNot, type Requirements, should, shouldNot, untestable } from '../harness/requirement.ts';
import { resctrlRequirements } from './resctrl.ts';

const NAMESPACES = 'config-linux.md#namespaces';
const DEVICES = 'config-linux.md#devices';
const NET = 'config-linux.md#network-devices';
const OWNERSHIP = 'config-linux.md#cgroup-ownership';
const SECCOMP = 'config-linux.md#seccomp';
const NO_RULE_FOR_RUNTIMES = 'asks something of the author of the configuration; runtimes may, and do, differ in what they refuse';

export const configLinuxRequirements = {
  'linux/default-filesystems': should('config-linux.md#default-filesystems', 'A container has /proc, /sys, /dev/pts and /dev/shm.'),
  'linux/namespaces/types': should(NAMESPACES, 'The eight types of namespaces are supported.'),
  'linux/namespaces/path-absolute': must(NAMESPACES, 'The path of a namespace is absolute.'),
  'linux/namespaces/path-joins': must(NAMESPACES, 'The process is in the namespace of the path.'),
  'linux/namespaces/path-type': must(NAMESPACES, 'A path to a namespace of another type is an error.'),
  'linux/namespaces/new': must(NAMESPACES, 'Without a path there is a new namespace.'),
  'linux/namespaces/inherit': must(NAMESPACES, 'A type that is not listed is the runtime’s own namespace.'),
  'linux/namespaces/duplicates': must(NAMESPACES, 'Two entries of one type are an error.'),
  'linux/user-mappings': must('config-linux.md#user-namespace-mappings', 'The user namespace has the mappings of uids and gids.'),
  'linux/user-mappings/ownership': shouldNot(
    'config-linux.md#user-namespace-mappings',
    'The owners of files are not changed to suit the mappings.',
  ),
  'linux/time-offsets': must('config-linux.md#offset-for-time-namespace', 'The clocks of a time namespace have the offsets.'),
  'linux/devices/available': must(DEVICES, 'Every device of the list is in the container.'),
  'linux/devices/conflict': must(DEVICES, 'Another file at the path of a device is an error.'),
  'linux/devices/attributes': must(DEVICES, 'A device has the type, numbers, mode and owner of its entry.'),
  'linux/devices/default': must('config-linux.md#default-devices', 'null, zero, full, random, urandom, tty and ptmx are there.'),
  'linux/devices/console': must('config-linux.md#default-devices', 'With a terminal, /dev/console is the terminal.'),
  'linux/net-devices/available': must(NET, 'Every network device of the list is in the container.'),
  'linux/net-devices/check': must(NET, 'The runtime finds out whether a device can be moved.'),
  'linux/net-devices/name-taken': must(NET, 'A name that is taken in the container is an error.'),
  'linux/net-devices/template': must(NET, 'A name that ends in %d is completed by the kernel.'),
  'linux/net-devices/attributes': must(NET, 'The attributes and the permanent global addresses stay.'),
  'linux/net-devices/up': must(NET, 'The device is up after it was moved.'),
  'linux/net-devices/lifecycle': mustNot(NET, 'The runtime does not look after the device inside the namespace.'),
  'linux/net-devices/no-return': mustNot(NET, 'The runtime does not move the device out before the container is deleted.'),
  'linux/cgroups/unfit': must('config-linux.md#control-groups', 'A cgroup that is found unfit is an error.'),
  'linux/cgroups/path-absolute': must('config-linux.md#cgroups-path', 'An absolute path is one below the mount point of the cgroups.'),
  'linux/cgroups/path-consistent': must('config-linux.md#cgroups-path', 'The same path is the same cgroup every time.'),
  'linux/cgroups/path-form': untestable(
    must('config-linux.md#cgroups-path', 'The path is absolute or relative.'),
    'there is no path that is neither',
  ),
  'linux/cgroups/path-invalid': must('config-linux.md#cgroups-path', 'A path that the runtime finds invalid is an error.'),
  'linux/cgroups/owner': should(OWNERSHIP, 'The owner of the cgroup is changed only for a writable cgroup mount in a cgroup namespace.'),
  'linux/cgroups/owner-missing-files': must(OWNERSHIP, 'Delegated files that are not there are no error.'),
  'linux/cgroups/owner-fallback': untestable(
    must(OWNERSHIP, 'Without a list of the kernel three files change owner.'),
    'every kernel that runtimes still run on has the list',
  ),
  'linux/cgroups/devices-order': must('config-linux.md#allowed-device-list', 'The entries of the device list are applied in their order.'),
  'linux/cgroups/memory': must('config-linux.md#memory', 'The memory limits are those of the configuration.'),
  'linux/cgroups/memory-check': must('config-linux.md#memory', 'A limit below the usage is an error when the check is asked for and made.'),
  'linux/cgroups/cpu': must('config-linux.md#cpu', 'Shares, quota, period and cpusets are those of the configuration.'),
  'linux/cgroups/cpu-burst': untestable(must('config-linux.md#cpu', 'Quota is not less than burst.'), NO_RULE_FOR_RUNTIMES),
  'linux/cgroups/block-io-weight': untestable(
    must('config-linux.md#block-io', 'An entry for a device has a weight.'),
    NO_RULE_FOR_RUNTIMES,
  ),
  'linux/cgroups/pids': must('config-linux.md#pids', 'The limit of processes is that of the configuration.'),
  'linux/cgroups/pids-zero': should('config-linux.md#pids', 'A limit of zero processes is a limit.'),
  'linux/cgroups/rdma': untestable(must('config-linux.md#rdma', 'An entry has a limit of handles or of objects.'), NO_RULE_FOR_RUNTIMES),
  'linux/cgroups/unified-controllers': must('config-linux.md#unified', 'The controllers that the files need are enabled.'),
  'linux/cgroups/unified-unknown': must('config-linux.md#unified', 'Files that the runtime does not know are written too.'),
  'linux/cgroups/unified-missing': must('config-linux.md#unified', 'A controller that is not there, or cannot be enabled, is an error.'),
  'linux/cgroups/conversion': must('config-linux.md#unified', 'A limit of cgroup v1 that has no counterpart in v2 is an error.'),
  'linux/sysctl': must('config-linux.md#sysctl', 'The kernel parameters have their values in the container.'),
  'linux/seccomp/filter': must(SECCOMP, 'System calls meet the actions of the profile.'),
  'linux/seccomp/arguments': must(SECCOMP, 'The operators compare the arguments of system calls.'),
  'linux/seccomp/errno': must(SECCOMP, 'The error number is that of the profile, EPERM when there is none.'),
  'linux/seccomp/errno-without-meaning': must(SECCOMP, 'An error number for an action that has none is an error.'),
  'linux/seccomp/names': must(SECCOMP, 'A rule names at least one system call.'),
  'linux/seccomp/flags': must(SECCOMP, 'The flags of the profile are used.'),
  'linux/seccomp/listener-socket': must(SECCOMP, 'The listener is reached by a stream socket of the file system.'),
  'linux/seccomp/listener-once': must(SECCOMP, 'One state is sent for each connection.'),
  'linux/seccomp/listener-closed': mustNot(SECCOMP, 'The connection is closed after the state and not used again.'),
  'linux/seccomp/listener-failure': must(SECCOMP, 'A state that cannot be sent is an error.'),
  'linux/seccomp/metadata': mustNot(SECCOMP, 'There are no metadata without a listener.'),
  'linux/seccomp/state-json': must(
    'config-linux.md#the-container-process-state',
    'The state is sent as JSON, and the descriptors beside it.',
  ),
  'linux/seccomp/state-descriptors-first': untestable(
    mustNot('config-linux.md#the-container-process-state', 'Descriptors are sent with the first message only.'),
    'the suite reads the socket without ancillary data, which does not show the message that descriptors came with',
  ),
  'linux/rootfs-propagation': must('config-linux.md#rootfs-mount-propagation', 'The root mount has the propagation.'),
  'linux/masked-paths': must('config-linux.md#masked-paths', 'Masked paths, which are absolute, cannot be read.'),
  'linux/readonly-paths': must('config-linux.md#readonly-paths', 'Read-only paths, which are absolute, cannot be written.'),
  'linux/mount-label': untestable(must('config-linux.md#mount-label', 'Mounts have the SELinux context.'), 'needs a kernel with SELinux'),
  'linux/personality': must('config-linux.md#personality', 'The execution domain is that of the configuration.'),
  'linux/memory-policy': must('config-linux.md#memory-policy', 'The memory policy is that of the configuration.'),
  ...resctrlRequirements,
} as const satisfies Requirements;
