/**
 * `npm run test:mac`: what only a Mac can show of locald, and one report of it, `build/mac-report/report.md`: pass,
 * fail, or needs a person. Nothing stays changed, also after Ctrl-C. Words: `--unattended` shows no dialogs; `--only
 * ID,ID` some steps; `--list`. On Linux the daemon assumes a Mac, and what that cannot show is "not here".
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../lib/user.ts'
import { Bench, hasRoot, isMac, type Outcome, type Step } from './bench.ts'
import { countOf, type Result, reportOf } from './report.ts'
import { steps } from './steps.ts'

const { values } = parseArgs({
  options: {
    unattended: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    only: { type: 'string' },
    report: { type: 'string', default: join(root, 'build', 'mac-report', 'report.md') },
  },
})

// The folder of temporary files of a Mac leaves a sandbox no room for a socket's path.
if (isMac) process.env['TMPDIR'] = '/private/tmp'

const cancel = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => cancel.abort(new Error(signal)))
// A failure outside of a step stops the run, too, and is reverted.
process.on('uncaughtException', error => cancel.abort(error))

const isAlone = values.unattended || !process.stdin.isTTY
const mayBeRoot = hasRoot()

/** Why a step is not tried. */
function excuse({ needs, onlyMac }: Step): { readonly outcome: Outcome; readonly reason: string } | undefined {
  if (onlyMac && !isMac) return { outcome: 'not here', reason: 'Linux cannot show it' }
  if (needs === 'person' && isAlone) return { outcome: 'needs a person', reason: 'no dialogs' }
  if (needs === 'root' && !mayBeRoot)
    return { outcome: 'needs a person', reason: 'sudo asks for a password: `sudo -v` first' }
  return undefined
}

async function carryOut(step: Step): Promise<Result> {
  const { id, title } = step
  const begun = performance.now()
  const excused = excuse(step)
  if (excused !== undefined) return { id, title, outcome: excused.outcome, ms: 0, reasons: [excused.reason], notes: [] }
  const bench = new Bench(isAlone, cancel.signal)
  const reasons: string[] = []
  try {
    await step.run(bench)
  } catch (error) {
    reasons.push(
      cancel.signal.aborted
        ? `interrupted: ${cancel.signal.reason.message}`
        : error instanceof Error
          ? error.message
          : String(error),
    )
  }
  const left = await bench.undo()
  reasons.push(...left.map(what => `not undone: ${what}`))
  const outcome = reasons.length === 0 ? 'pass' : 'fail'
  return { id, title, outcome, ms: performance.now() - begun, reasons, notes: bench.notes }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

const only = values.only?.split(',')
const unknown = only?.find(id => !steps.some(step => step.id === id))
if (unknown !== undefined) {
  say(`There is no step '${unknown}'. There are: ${steps.map(({ id }) => id).join(', ')}`)
  process.exit(2)
}
if (values.list) {
  for (const { id, title, needs } of steps) say(`${id.padEnd(12)} ${title}${needs === 'nothing' ? '' : ` (${needs})`}`)
  process.exit(0)
}
const results: Result[] = []
for (const step of steps.filter(({ id }) => only?.includes(id) ?? true)) {
  if (cancel.signal.aborted) break
  say(`… ${step.title}`)
  const result = await carryOut(step)
  results.push(result)
  say(`${result.outcome.padEnd(14)} ${step.id}${result.reasons.map(reason => `: ${reason.split('\n')[0]}`).join('')}`)
}
const about = `${process.platform} ${process.arch}, Node ${process.version}${isMac ? '' : ', assuming a Mac'}`
const path = resolve(values.report)
mkdirSync(dirname(path), { recursive: true })
writeFileSync(path, reportOf(results, about))
say(`\n${countOf(results)}\n${path}`)
process.exit(cancel.signal.aborted ? 130 : results.some(({ outcome }) => outcome === 'fail') ? 1 : 0)
