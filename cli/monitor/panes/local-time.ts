/** Returns the time of the day here, `HH:MM:SS`. */
export function localTime(time: string): string {
  const at = new Date(time)
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(part => String(part).padStart(2, '0')).join(':')
}
