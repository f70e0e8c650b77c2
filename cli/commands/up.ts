import { LocaldError, messageOf } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { LeaseBody, OpenAnswer, RestartBody, StopBody, TargetBody, UpBody } from '../../kernel/protocol.ts'
import { findAgent } from '../agent.ts'
import { readTarget } from '../args/target.ts'
import { readUpFlags } from '../args/up-flags.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { type Client, requireDaemon } from '../daemon/client.ts'
import { describeDashboard } from '../follow/dashboard-line.ts'
import { Interrupt, interruptedCode } from '../follow/keys.ts'
import { likelyCauses } from '../follow/likely-causes.ts'
import { type DoneEvent, followOperation, reportOutcome } from '../follow/operation.ts'
import {
  askBrowserTrust,
  type BrowserTrust,
  formatTrustHint,
  isSecure,
  isStartedWithHttps,
} from '../follow/trust-hint.ts'
import { isListed, isSettled, namerOf, stateOf, styleOf } from '../output/service-state.ts'
import { type Row, table } from '../output/table.ts'
import { isInteractive, painter, print, printStderr } from '../output/terminal.ts'

/** The name of the command for which a project exists that stops with this process; undefined: it stays. */
type ScratchOwner = string | undefined

/** `locald up`: starts a project and, on a terminal, follows its logs. */
export async function up(context: Context): Promise<number> {
  return await upWith(context, undefined)
}

/** Runs the project in a folder, with the flags of the present command, until it is stopped or this process exits. */
export async function upScratch(context: Context, cwd: string): Promise<number> {
  const flags = new Map([...context.args.flags, ['attach', true] as const])
  const args = { ...context.args, positionals: [], flags }
  return await upWith({ ...context, cwd, args }, `locald ${args.command?.name ?? ''}`)
}

async function upWith(context: Context, owner: ScratchOwner): Promise<number> {
  const isScratch = owner !== undefined
  const { flags } = context.args
  if (flags.has('attach') && flags.has('detach')) {
    throw new LocaldError('USAGE', '--attach and --detach cannot be combined', { hint: 'Use one of them.' })
  }
  const target = readTarget(context.args, context.cwd)
  const lease = isScratch ? { lease: { pid: process.pid, name: owner } } : {}
  const options = { ...(await readUpFlags(context.args, context.cwd)), ...lease }
  const since = new Date().toISOString()
  const [daemon, offer] = await Promise.all([
    requireDaemon(context.paths),
    isScratch ? undefined : findEnvOffer(context, target.path),
  ])
  await offer?.(daemon)
  const agentLease = options.lease === undefined ? await leaseForAgent(context) : undefined
  const interrupt = new Interrupt()
  try {
    let browsing: Promise<BrowserTrust | undefined> | undefined
    const seen = (event: LocaldEvent) => {
      // While a service starts, which takes longer; not before: the answer takes the daemon as long as starting it.
      if (!context.json && isStartedWithHttps(event)) browsing ??= askBrowserTrust(daemon)
    }
    const own = agentLease === undefined ? {} : { lease: agentLease }
    const body = { ...target, ...options, ...own, env: callerEnvironment(), id: `${process.pid} ${since}` }
    const done = await runUp(context, daemon, interrupt, body, seen)
    if (done === undefined) return interruptedCode
    const code = await printOutcome(context, daemon, done, isScratch)
    if (code === 0 && !context.json && done.services.some(isSecure)) browsing ??= askBrowserTrust(daemon)
    const hint = code === 0 ? formatTrustHint(done.services, await browsing) : undefined
    if (hint !== undefined) printStderr(hint)
    const line = code === 0 && !context.json && !isScratch ? await describeDashboard(daemon, browsing) : undefined
    if (line !== undefined) printStderr(line)
    if (agentLease !== undefined && code === 0 && !context.json) printStderr(describeLease(agentLease))
    if (code === 0 && flags.has('open')) await openMain(context, daemon, target)
    const attaches = flags.has('attach') || (isInteractive() && !flags.has('detach'))
    if (code !== 0 || (context.json && !isScratch) || !attaches || done.services.every(isSettled)) return code
    const { attach } = await import('../follow/attach.ts')
    return await attach(context, daemon, {
      ...{ target, since, services: done.services, early: interrupt, isScratch },
      async openTerminal(daemon, view) {
        const { Attachment } = await import('../attach/index.ts')
        return await (await Attachment.of(context, view)).run(daemon)
      },
    })
  } finally {
    interrupt.close()
  }
}

/**
 * Finds what to offer before the first `up` of a git worktree, while the daemon starts: not before its process exists, as
 * this one then only waits.
 */
async function findEnvOffer(context: Context, path: string): Promise<((daemon: Client) => Promise<void>) | undefined> {
  await new Promise(resolve => setImmediate(resolve))
  const { findEnvFiles, offerEnvFiles } = await import('../worktree/env-offer.ts')
  const missing = await findEnvFiles(context, path)
  return missing === undefined ? undefined : daemon => offerEnvFiles(context, daemon, missing)
}

/** Returns the lease of the agent that runs this command, so that it leaves nothing behind; none with `--detach`. */
async function leaseForAgent({ args, paths }: Context): Promise<LeaseBody | undefined> {
  const agent = args.flags.has('detach') ? undefined : findAgent()
  return agent === undefined ? undefined : (await import('../daemon/agent-lease.ts')).leaseOfAgent(agent, paths)
}

function describeLease({ name, pid }: LeaseBody): string {
  return `What this started stops when ${name} (pid ${pid}) exits; with --detach it keeps running`
}

/** Opens the URL of the first named service, else that of the project. Without one it only warns: all is up. */
async function openMain({ json }: Context, daemon: Client, { path, services = [] }: TargetBody): Promise<void> {
  try {
    const answer = await daemon.get<OpenAnswer>('/v1/services/open', { path, service: services[0] })
    const { showUrl } = await import('../output/browser.ts')
    await showUrl(answer, json)
  } catch (error) {
    printStderr(`Warning: nothing to open: ${messageOf(error)}`)
  }
}

/** `locald restart`. */
export async function restart(context: Context): Promise<number> {
  const { positionals, flags } = context.args
  const body: RestartBody = {
    path: context.cwd,
    ...(positionals.length === 0 ? {} : { services: positionals }),
    ...(flags.has('dependents') ? { dependents: true } : {}),
    env: callerEnvironment(),
  }
  const daemon = await requireDaemon(context.paths)
  const doing = 'restarting services'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/restart', body, doing })
  return await printOutcome(context, daemon, await followOperation(context, stream, { doing }))
}

/**
 * Runs `up` to its end. Ctrl-C meanwhile stops what it started (the result is undefined), a second one quits
 * immediately.
 */
async function runUp(
  context: Context,
  daemon: Client,
  interrupt: Interrupt,
  body: UpBody & { readonly id: string },
  seen: (event: LocaldEvent) => void,
): Promise<DoneEvent | undefined> {
  const doing = 'starting the project'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/up', body, doing })
  interrupt.onFirst = () => stream.close()
  try {
    return await followOperation(context, stream, { doing, onEvent: seen })
  } catch (error) {
    if (!interrupt.isPressed) throw error
    await stopStarted(context, daemon, { path: body.path, begunBy: body.id, ...pickNamedServices(body) })
    return undefined
  }
}

/** Keeps names only where they lead to other projects: those of this folder's project may be new to the daemon. */
function pickNamedServices({ services = [] }: UpBody): Pick<StopBody, 'services'> {
  return services.some(name => name.includes(':')) ? { services } : {}
}

async function stopStarted(context: Context, daemon: Client, body: StopBody): Promise<void> {
  if (!context.json) printStderr('Stopping what was started… (press Ctrl-C again to quit immediately)')
  const doing = 'stopping the project'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing })
  await followOperation(context, stream, { doing })
}

/** @param isScratch it is stopped now: there is nothing to look at, and no way to do so */
async function printOutcome(context: Context, daemon: Client, done: DoneEvent, isScratch = false): Promise<number> {
  const nameOf = namerOf(context.args, done.services)
  if (done.ok && !context.json && done.services.length > 0) {
    const listed = done.services.filter(view => isListed(view, context.args.positionals))
    const rows = listed.map(view => toRow(view, nameOf(view.key)))
    if (rows.length > 0) print(table(['NAME', 'STATUS', 'URL'], rows, painter(process.stdout)))
  }
  const causes = done.ok || context.json ? undefined : await likelyCauses(context, daemon, done)
  const code = reportOutcome(context, done, causes, isScratch)
  if (done.ok && !context.json && done.services.length === 0)
    printStderr('The project has no services. Add one to its configuration.')
  const left = done.services.filter(view => code !== 0 && !isScratch && !isSettled(view))
  const still = left.map(view => nameOf(view.key))
  // Without names, only the services of this project are stopped.
  const named = left.some(({ key }) => nameOf(key) === key) ? ` ${still.join(' ')}` : ''
  if (still.length > 0 && !context.json)
    printStderr(
      `Still running: ${still.join(', ')}. Run \`locald stop${named}\` to stop ${still.length === 1 ? 'it' : 'them'}.`,
    )
  return code
}

function toRow(view: ServiceView, name: string): Row {
  const state = stateOf(view)
  const where = view.url ?? (view.port === null ? '-' : `127.0.0.1:${view.port}`)
  return { cells: [{ text: name }, { text: state, style: styleOf(state) }, { text: where }] }
}
