/**
 * `npm run bench [NAME…] [-- --smoke]`: measures locald beside its peers, prints the results and writes them as JSON
 * into build/bench/. `--smoke`: tiny runs that show that the benches work; ignore their figures.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { burst } from './benches/burst.ts'
import { cli } from './benches/cli.ts'
import { dashboard } from './benches/dashboard.ts'
import { firstUp } from './benches/first-up.ts'
import { idle } from './benches/idle.ts'
import { output } from './benches/output.ts'
import { page } from './benches/page.ts'
import { proxy } from './benches/proxy.ts'
import { recording } from './benches/recording.ts'
import { restart } from './benches/restart.ts'
import { start } from './benches/start.ts'
import { made } from './folders.ts'
import { machine } from './machine.ts'
import { tableOf } from './report.ts'

const benches = { cli, start, idle, output, restart, proxy, recording, page, dashboard, burst, 'first-up': firstUp }
const words = process.argv.slice(2)
const smoke = words.includes('--smoke')
const names = words.filter(word => word !== '--smoke')
const unknown = names.find(name => !(name in benches))
if (unknown !== undefined) {
  console.error(`no bench '${unknown}': ${Object.keys(benches).join(', ')}`)
  process.exit(2)
}
mkdirSync(made, { recursive: true })
console.log(`${JSON.stringify(machine())}\n`)
for (const [name, bench] of Object.entries(benches)) {
  if (names.length > 0 && !names.includes(name)) continue
  const found = await bench({ smoke })
  console.log(`${tableOf(found)}\n`)
  const file = join(made, `${name}${smoke ? '-smoke' : ''}.json`)
  writeFileSync(file, `${JSON.stringify({ ...found, machine: machine(), at: new Date().toISOString() }, null, 2)}\n`)
}
