/** Field 22 of /proc/PID/stat (proc(5)): when the process started, in clock ticks since boot. Undefined for no text, and for a zombie. */
export function startTimeIn(stat: string | undefined): string | undefined {
  if (stat === undefined) return undefined;
  // The command's name, in parentheses, may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
