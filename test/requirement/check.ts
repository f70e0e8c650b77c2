/**
 * `node build/test/requirement/check.js REPORT.tap…`: fails where docs/platforms.md claims what a run of all tests did
 * not show. The later reports are of files that were run again.
 */
import { readFileSync } from 'node:fs'
import { unshown } from './ran.ts'

const missing = unshown(process.argv.slice(2).map(report => readFileSync(report, 'utf8')))
for (const what of missing) process.stdout.write(`  FAILED docs/platforms.md claims ${what}\n`)
if (missing.length > 0) process.exitCode = 1
