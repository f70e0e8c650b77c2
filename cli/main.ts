#!/usr/bin/env node
import { LocaldError } from '../kernel/errors.ts'
import { readWords, type Words } from './args/parse.ts'
import { loaders } from './commands/index.ts'
import type { Context } from './context.ts'

// A debugger that NODE_OPTIONS opens is meant for services: its port is theirs.
if (process.env['NODE_OPTIONS']?.includes('--inspect')) process.getBuiltinModule('node:inspector').close()

const argv = process.argv.slice(2)
let context: Context | undefined

/** What the command line asks for, done; the result is the exit code. */
async function main(): Promise<number> {
  let words: Words
  try {
    words = await readWords(argv)
  } catch (error) {
    if (!LocaldError.is(error) || error.code !== 'UNKNOWN_COMMAND') throw error
    return (await import('./commands/plugin-command.ts')).pluginCommand(argv, error)
  }
  if (words.flags.has('version')) return (await import('./commands/help.ts')).version(words)
  const { spec } = words
  if (spec === undefined || words.flags.has('help')) return (await import('./commands/help.ts')).help(words)
  const [command, { locate }] = await Promise.all([loaders[spec.name](), import('./context.ts')])
  context = { words, json: words.flags.has('json'), ...locate(words) }
  return await command(context)
}

async function fail(error: unknown): Promise<void> {
  const { report } = await import('./output/errors.ts')
  // Once the words are understood, a `--json` of the command that `run` runs is not ours.
  const words = context === undefined ? argv : context.json ? ['--json'] : []
  process.exitCode = report(error, words, context?.paths.crash)
}

process.on('uncaughtException', (error: Error & { code?: string }) => {
  // A reader that went away (`| head`) or a closed terminal is no error; the exit code is what is known so far.
  if (error.code === 'EPIPE' || error.code === 'EIO') process.exit()
  void fail(error).finally(() => process.exit())
})

// No top-level await: this is bundled as CommonJS, which Node starts faster.
main().then(code => {
  process.exitCode = code
}, fail)
