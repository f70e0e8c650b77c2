/**
 * `node build/test/requirement/check.js REPORT.tap`: fails where docs/platforms.md claims what a run of all tests did
 * not show.
 */
import { readFileSync } from 'node:fs'
import { unshown } from './ran.ts'

const missing = unshown(readFileSync(process.argv[2] ?? '', 'utf8'))
for (const what of missing) process.stdout.write(`  FAILED docs/platforms.md claims ${what}\n`)
if (missing.length > 0) process.exitCode = 1
