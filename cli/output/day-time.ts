/** Returns the local time of a day, with the date of another day: `15:22:20`, `15:22:20 on 2026-12-20`. */
export function dayTime(at: Date): string {
  const time = at.toLocaleTimeString('en-GB')
  return at.toDateString() === new Date().toDateString() ? time : `${time} on ${at.toLocaleDateString('en-CA')}`
}
