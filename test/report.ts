/**
 * Reads the TAP stream of a test run from stdin and prints it for people and CI: a line for each file, what failed with
 * its diagnostics, what was skipped and why. The last line is `N passed, N failed, N skipped`; it counts assertions,
 * and a subtest that was skipped as one. Exit code 1 when something failed.
 */
import { relative } from 'node:path'
import { Parser, type Result } from 'tap-parser'

interface Count {
  passed: number
  failed: number
  skipped: number
}

const total: Count = { passed: 0, failed: 0, skipped: 0 }

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function add(result: Result, count: Count): void {
  if (result.skip || result.todo) count.skipped++
  else if (result.ok) count.passed++
  else count.failed++
}

function words({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** What a failed assertion knows of itself: TAP's diagnostics are any YAML. */
function diagnostics(diag: unknown): string {
  if (typeof diag !== 'object' || diag === null) return ''
  const { at, diff, source, stack, ...rest } = { at: undefined, diff: '', source: '', stack: '', ...diag }
  const others = Object.entries(rest).map(([key, value]) => `${key}: ${plain(value)}`)
  return [place(at), plain(source), plain(diff), ...others, plain(stack)]
    .filter(text => text.trim() !== '')
    .map(text => text.trimEnd().replaceAll(/^/gm, '    '))
    .join('\n')
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function place(at: unknown): string {
  if (typeof at !== 'object' || at === null) return ''
  const { fileName, lineNumber } = { fileName: '', lineNumber: '', ...at }
  return `${fileName}:${lineNumber}`
}

/** The path of subtests: what the parser calls a full name has the test's program in front. */
function pathOf(result: Result, file: string): string {
  const name = result.fullname.replace(/^\s*>?\s*/, '')
  return name.startsWith(file) ? name : `${file} > ${name}`
}

function printResult(result: Result, file: string): void {
  if (result.skip || result.todo) {
    const why = result.skip || `to do: ${result.todo}`
    print(`  SKIPPED ${pathOf(result, file)}: ${why === true ? 'no reason given' : why}`)
  } else if (!result.ok) {
    print(`\n  FAILED ${pathOf(result, file)}\n${diagnostics(result.diag)}\n`)
  }
}

/** Whether it is the result of the file that is read, as a whole. */
function isOfFile({ name }: Result): boolean {
  return relative('.', name) === file
}

const parser = new Parser()
// Files come one after the other, whole.
let count: Count = { passed: 0, failed: 0, skipped: 0 }
let file = ''

parser.on('child', child => {
  file = relative('.', child.name)
})
parser.on('result', result => {
  // Files have a line of their own, and so has one that took too long.
  if (isOfFile(result) || result.name === 'timeout!') return
  add(result, count)
  add(result, total)
  printResult(result, file)
})
parser.on('assert', result => {
  if (!isOfFile(result)) return
  if (!result.ok && count.failed === 0) {
    // It was killed or failed as a whole: none of its assertions did.
    count.failed++
    total.failed++
    printResult(result, file)
  }
  const seconds = ((result.time ?? 0) / 1000).toFixed(1)
  print(`${count.failed === 0 ? 'ok    ' : 'FAILED'} ${file}: ${words(count)} (${seconds} s)`)
  count = { passed: 0, failed: 0, skipped: 0 }
})
parser.on('bailout', reason => print(`  FAILED: bail out! ${reason}`))
parser.on('complete', results => {
  // A stream cut short or empty has no failed assertion, but is no success.
  if (total.failed === 0 && (!results.ok || total.passed === 0)) {
    total.failed = 1
    print(`  FAILED: ${results.ok ? 'no test was run' : 'the run did not come to its end'}`)
  }
  print(words(total))
  if (total.failed > 0) process.exitCode = 1
})
process.stdin.pipe(parser)
