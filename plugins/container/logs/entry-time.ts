/** `2026-11-30T17:22:54` */
const secondsLength = 19
/** Lines come by the thousand in one second. */
let cached = { local: '', utc: '' }

/**
 * Returns a time of an engine, RFC 3339 in any zone and with up to nine decimals, as our log files have it: UTC, with
 * six decimals, the others cut off. Returns undefined if it is none.
 */
export function entryTime(time: string): string | undefined {
  const isUtc = time.endsWith('Z') || time.endsWith('+00:00')
  const zoneAt = time.endsWith('Z') ? time.length - 1 : time.length - 6
  const fraction = time.slice(secondsLength + 1, zoneAt)
  const seconds = isUtc ? time.slice(0, secondsLength) : inUtc(time.slice(0, secondsLength), time.slice(zoneAt))
  const found = `${seconds}.${fraction.slice(0, 6).padEnd(6, '0')}Z`
  return isTime.test(found) ? found : undefined
}

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

function inUtc(seconds: string, zone: string): string {
  const local = seconds + zone
  if (cached.local !== local) {
    const ms = Date.parse(local)
    cached = { local, utc: Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, secondsLength) }
  }
  return cached.utc
}
