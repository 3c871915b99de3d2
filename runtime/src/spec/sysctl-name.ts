/**
 * A sysctl's name with dots between its parts. sysctl(8) takes dots or slashes, and the first of them tells which is the separator; the other one
 * then stands for itself within a part: `net/ipv4/conf/eno2.100/rp_filter` is `net.ipv4.conf.eno2/100.rp_filter`.
 */
export function toDottedSysctl(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  return separator === '/' ? name.replace(/[./]/g, (character) => (character === '/' ? '.' : '/')) : name;
}

/** The path of the sysctl's file below `/proc/sys`. */
export function toSysctlPath(name: string): string {
  return toDottedSysctl(name).replace(/[./]/g, (character) => (character === '.' ? '/' : '.'));
}
