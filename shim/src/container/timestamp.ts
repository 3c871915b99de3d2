/** RFC 3339 with nine digits: what Node cannot tell is 0. */
export function timestamp(ms: number = performance.timeOrigin + performance.now()): string {
  const whole = Math.floor(ms);
  const nanoseconds = Math.floor((ms - whole) * 1e6);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(nanoseconds).padStart(6, '0')}Z`;
}
