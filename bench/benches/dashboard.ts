import { firstLoad } from '../dashboard/first-load.ts'
import { flood } from '../dashboard/flood.ts'
import { many } from '../dashboard/many.ts'
import { quiet } from '../dashboard/quiet.ts'
import type { Found, Row } from '../report.ts'

/** Measures the dashboard in Chromium: how soon it can be used, how it stands 20,000 lines a second, what it costs idle. */
export async function dashboard({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const rows: Row[] = []
  for (const part of [firstLoad, quiet, many, flood]) rows.push(...(await part({ smoke })))
  return { bench: 'dashboard', about: 'the dashboard in Chromium', rows, skipped: [] }
}
