import { LocaldError } from '../../kernel/errors.ts'
import type { KeysAnswer, RegistryAnswer } from '../../kernel/protocol.ts'
import { flagValue } from '../args/parse.ts'
import type { Context } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { printJson, printStderr } from '../output/terminal.ts'
import { Command } from './command.ts'
import { type Expectation, expectLog, expectRequest, parseLimit } from './pattern.ts'
import { describeOutcome, type ExpectOutcome, toJson } from './report.ts'
import { type Scope, Watch } from './watch.ts'

const timedOutCode = 124
/** For the command, and for what it causes, which may happen after its exit. */
const defaultLimit = '30s'

/** Runs the command and checks the expectations; the result is the exit code. */
export async function runExpect(context: Context): Promise<number> {
  const { args, json, cwd, paths } = context
  const expectations: readonly Expectation[] = [
    ...(args.values.get('request') ?? []).map(expectRequest),
    ...(args.values.get('log') ?? []).map(expectLog),
  ]
  if (expectations.length === 0) {
    throw new LocaldError('USAGE', 'nothing is expected', {
      hint: "Add `--request 'POST /pay 2xx'` or `--log TEXT`.",
    })
  }
  const limitMs = parseLimit(flagValue(args, 'within') ?? defaultLimit)
  const scope = await findScope(context, await requireDaemon(paths))
  const watch = new Watch(scope, expectations)
  await watch.start(() => requireDaemon(paths))
  try {
    const outcome = await follow(watch, await Command.start(args.childArgv, { cwd, hasOwnStdout: !json }), limitMs)
    if (json) printJson(toJson(outcome, expectations))
    else printStderr(describeOutcome(outcome, expectations))
    return codeOf(outcome)
  } finally {
    watch.close()
  }
}

async function findScope({ args, cwd }: Context, daemon: Client): Promise<Scope> {
  const { keys } = await daemon.get<KeysAnswer>('/v1/services/keys', { path: cwd, service: args.values.get('service') })
  const { projects } = await daemon.get<RegistryAnswer>('/v1/registry')
  const names = new Set(keys.map(key => key.slice(0, key.indexOf(':'))))
  const domain = projects.find(({ name }) => names.has(name))?.domain
  // With named services, what no service has answered is of none of them.
  return { path: cwd, keys, domain: args.values.has('service') ? undefined : domain }
}

/** Waits for the command, then for what is still expected, both within the limit. */
async function follow(watch: Watch, command: Command, limitMs: number): Promise<ExpectOutcome> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), limitMs)
  })
  const lost = new Promise<never>((_, reject) => void watch.allMet.catch(reject))
  try {
    const code = await Promise.race([command.exited, late, lost])
    if (code === 'late') {
      await command.stop()
      return { watch, code: null }
    }
    if (code === 0) await Promise.race([watch.allMet, late])
    return { watch, code }
  } catch (error) {
    await command.stop().catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function codeOf({ code, watch }: ExpectOutcome): number {
  if (code === null) return timedOutCode
  return code !== 0 ? code : watch.unmet.length === 0 ? 0 : 1
}
