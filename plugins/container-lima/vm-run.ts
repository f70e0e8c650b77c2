import { parseArgs } from 'node:util'
import type { CommandContext, CommandResult, PlatformFacts } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { suggestSubcommand } from '../lib/suggest.ts'
import { listVolumes } from './guest/volumes.ts'
import { installRelease } from './install/install.ts'
import { releaseFor } from './install/release.ts'
import type { LimaMachine } from './lima-machine.ts'
import { readLastMessages } from './vm/last-messages.ts'
import { usage } from './vm-command.ts'

/** Uses of a subcommand. */
interface Call {
  readonly machine: LimaMachine
  readonly platform: PlatformFacts
  readonly context: CommandContext
  readonly isConfirmed: boolean
  /** The words after the subcommand. */
  readonly words: readonly string[]
  /** Reads again what this machine has. */
  readonly refresh: () => Promise<void>
}

const verbs: Readonly<Record<string, (call: Call) => Promise<CommandResult>>> = {
  install,
  status,
  start,
  stop,
  delete: remove,
  shell,
  logs: async ({ machine }) => text(await readLastMessages((await machine.require()).verbs.dir)),
}

/** Runs `locald vm`. */
export async function runVmCommand(
  argv: readonly string[],
  call: Pick<Call, 'machine' | 'platform' | 'context' | 'refresh'>,
): Promise<CommandResult> {
  const { values, positionals } = parse(argv)
  const [verb, ...words] = positionals
  if (verb === undefined || values.help === true) return { exitCode: values.help === true ? 0 : 2, text: usage }
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (run === undefined)
    throw usageError(
      `locald vm: unknown subcommand '${verb}'`,
      suggestSubcommand(verb, Object.keys(verbs), ['stop', 'delete']),
    )
  if (words[0] !== undefined && verb !== 'shell') throw usageError(`locald vm: unexpected argument '${words[0]}'`)
  return await run({ ...call, words, isConfirmed: values.yes === true })
}

/** Reads the flags; all words after `shell` are a command's. */
function parse(argv: readonly string[]) {
  const [first, ...rest] = argv
  if (first === 'shell') return { values: {}, positionals: ['shell', ...(rest[0] === '--' ? rest.slice(1) : rest)] }
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { yes: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    })
  } catch (error) {
    throw usageError(`locald vm: ${messageOf(error)}`)
  }
}

async function install({ machine, platform, context, refresh }: Call): Promise<CommandResult> {
  const found = await machine.find()
  const version = await found?.verbs.version(context.signal).catch(() => undefined)
  if (found !== undefined && version !== undefined) return text(`Lima ${version} is at ${found.limactl.program}`)
  const release = releaseFor(platform.os, platform.arch)
  if (release === undefined) {
    throw new LocaldError('FEATURE_OFF', `there is no release of Lima for ${platform.os} on ${platform.arch}`, {
      hint: 'Set LIMACTL to the path of a limactl that you have built.',
    })
  }
  const program = await installRelease(release, machine.dist, context.signal)
  await refresh()
  return text(`Installed Lima ${release.version} at ${program}`)
}

async function status({ machine, context }: Call): Promise<CommandResult> {
  const { limactl, verbs, vm } = await machine.require()
  const version = await verbs.version(context.signal)
  const info = await vm.look()
  const pending = await verbs.pending()
  const { guest } = machine
  const notes = {
    restart: 'The VM needs a restart to apply its options: run `locald vm stop`.',
    create:
      'The VM was created from another template: `locald vm delete --yes` lets the next start create it from the new one.',
  }
  const rows = [
    ['state', vm.state],
    ['lima', version],
    ['limactl', limactl.program],
    ['folder', machine.limaHome],
    ['engine', guest === undefined ? null : `${guest.dialect} ${guest.version}`],
    ['services', machine.usage.services.length],
    ['problems', info?.errors.join('; ') || null],
  ] as const
  const data = { ...Object.fromEntries(rows), pending: pending ?? null }
  return { ...text(pending === undefined ? '' : notes[pending]), table: { columns: ['vm', 'value'], rows }, data }
}

async function start({ machine, context }: Call): Promise<CommandResult> {
  const engine = await machine.open(() => {}, context.signal)
  return text(`The VM is running, with ${engine.dialect} ${engine.version}`)
}

async function stop({ machine, isConfirmed }: Call): Promise<CommandResult> {
  const { vm } = await machine.require()
  const { services } = machine.usage
  if (services.length > 0 && !isConfirmed) {
    throw usageError(
      `${services.join(', ')} ${services.length === 1 ? 'uses' : 'use'} the VM`,
      'Run `locald stop` first, or `locald vm stop --yes`, which stops them. Nothing was changed.',
    )
  }
  await machine.stopServices()
  await vm.down()
  return text('The VM is stopped')
}

async function remove({ machine, isConfirmed }: Call): Promise<CommandResult> {
  const { limactl, vm } = await machine.require()
  if ((await vm.look()) === undefined) return text('There is no VM')
  const { guest } = machine
  const volumes = vm.state === 'running' ? await listVolumes(limactl, machine.options, guest) : undefined
  const lost =
    volumes === undefined
      ? 'all volumes in it (run `locald vm start` first to list them)'
      : volumes.length === 0
        ? 'no volume'
        : `the volumes ${volumes.join(', ')}`
  if (!isConfirmed) {
    throw usageError(
      `locald vm delete removes the VM with ${lost}`,
      'Run `locald vm delete --yes` to do that. Nothing was changed.',
    )
  }
  await machine.stopServices()
  await vm.remove()
  return text(`Deleted the VM with ${lost}`)
}

async function shell({ machine, context, words }: Call): Promise<CommandResult> {
  const { limactl } = await machine.require()
  await machine.open(() => {}, context.signal)
  return { exitCode: 0, text: '', terminal: { argv: limactl.shellArgv(words), env: limactl.env } }
}

function text(message: string): CommandResult {
  return { exitCode: 0, text: message }
}

function usageError(message: string, hint = 'Run `locald vm` for the list of subcommands.'): LocaldError {
  return new LocaldError('USAGE', message, { hint })
}
