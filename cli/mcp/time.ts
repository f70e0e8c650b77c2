/** Returns the time of a day of an ISO time, in the zone of this machine. */
export function clockTime(iso: string): string {
  const date = new Date(iso)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(it => String(it).padStart(2, '0')).join(':')
}
