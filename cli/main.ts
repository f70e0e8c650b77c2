#!/usr/bin/env node
import type { Context } from './context.ts'
import { readWords, type Words } from './words.ts'

/** What the command line asks for, done; the result is the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const words = await readWords(argv)
  if (words.flags.has('version')) return (await import('./help.ts')).version(words)
  const { spec } = words
  if (spec === undefined || words.flags.has('help')) return (await import('./help.ts')).help(words)
  const command = await spec.load()
  return await command(await contextOf(words))
}

async function contextOf(words: Words): Promise<Context> {
  const { locate } = await import('./locate.ts')
  return { words, json: words.flags.has('json'), ...locate(words) }
}

async function fail(error: unknown): Promise<void> {
  const { report } = await import('./report.ts')
  process.exitCode = report(error, process.argv.slice(2))
}

// A reader that went away (`| head`) is no error; the exit code is what is known so far.
process.stdout.on('error', error => {
  if ('code' in error && error.code === 'EPIPE') process.exit()
  throw error
})
process.on('uncaughtException', error => {
  void fail(error).finally(() => process.exit())
})

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  await fail(error)
}
