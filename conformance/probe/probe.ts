/**
 * What runs inside a container and tells what it sees, as one JSON object: `probe FACT…`. A shell script, since the shell is in the root file
 * system anyway; it needs /proc for most facts. `$$` is the program of the container, whose properties were set.
 */
export const PROBE = `#!/bin/sh
fact() {
  case $1 in
    status|limits|mountinfo|cgroup|uid_map|gid_map|oom_score_adj|stat|timens_offsets|personality) cat /proc/$$/$1 ;;
    environ|cmdline) tr '\\0' '\\n' </proc/$$/$1 ;;
    namespaces) for n in cgroup ipc mnt net pid time user uts; do echo "$n $(readlink /proc/$$/ns/$n)"; done ;;
    cwd|exe) readlink /proc/$$/$1 ;;
    fds) ls /proc/$$/fd ;;
    hostname) cat /proc/sys/kernel/hostname ;;
    domainname) cat /proc/sys/kernel/domainname ;;
    uptime) cat /proc/uptime ;;
  esac
}
json() {
  sed 's/\\\\/\\\\\\\\/g; s/"/\\\\"/g; s/\\t/\\\\t/g; s/$/\\\\n/' | tr -d '\\n'
}
comma=
printf '{'
for name in "$@"; do
  printf '%s"%s":"' "$comma" "$name"
  fact "$name" 2>&1 | json
  printf '"'
  comma=,
done
printf '}\\n'
`;
