#!/usr/bin/env node
import { LocaldError } from '../kernel/errors.ts'
import { type ParsedArgs, parseArgs } from './args/parse.ts'
import { loaders } from './commands/index.ts'
import type { Context } from './context.ts'

// A debugger in NODE_OPTIONS is for services: frees its port for them.
if (process.env['NODE_OPTIONS']?.includes('--inspect')) process.getBuiltinModule('node:inspector').close()

const argv = process.argv.slice(2)
let context: Context | undefined

/** Runs the command of the command line; the result is the exit code. */
async function main(): Promise<number> {
  if (argv[0] === '__complete') return (await import('./commands/complete.ts')).complete(argv.slice(2))
  let args: ParsedArgs
  try {
    args = await parseArgs(argv)
  } catch (error) {
    if (!LocaldError.is(error) || error.code !== 'UNKNOWN_COMMAND') throw error
    return (await import('./commands/plugin-command.ts')).pluginCommand(argv, error)
  }
  if (args.flags.has('no-color')) (await import('./output/terminal.ts')).disableColour()
  if (args.flags.has('version')) return (await import('./commands/help.ts')).printVersion(args)
  const { command } = args
  // The help of a service's own commands is in its locald.toml.
  const isOwnHelp = command?.name === 'run' && args.positionals.length > 0
  if (command === undefined || (args.flags.has('help') && !isOwnHelp))
    return (await import('./commands/help.ts')).printHelp(args)
  const [run, { locate }] = await Promise.all([loaders[command.name](), import('./context.ts')])
  context = { args, json: args.flags.has('json'), ...locate(args) }
  return await run(context)
}

async function fail(error: unknown): Promise<void> {
  const { reportError } = await import('./output/errors.ts')
  // Once the command line is parsed: a `--json` after `locald run` belongs to the command that it runs.
  const flags = context === undefined ? argv : context.json ? ['--json'] : []
  process.exitCode = reportError(error, flags, context?.paths.crash)
}

process.on('uncaughtException', (error: Error & { code?: string }) => {
  // A reader that closed its pipe (`| head`) or a closed terminal is no error; exits with the code known so far.
  if (error.code === 'EPIPE' || error.code === 'EIO') process.exit()
  void fail(error).finally(() => process.exit())
})

// No top-level await: this is bundled as CommonJS, which Node starts faster.
main().then(code => {
  process.exitCode = code
}, fail)
