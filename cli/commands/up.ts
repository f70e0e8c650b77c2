import { resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { RestartBody, StopBody, TargetBody, UpBody } from '../../kernel/protocol.ts'
import { isFolder } from '../args/folder.ts'
import { type Context, callerEnvironment } from '../context.ts'
import { type Client, need } from '../daemon/client.ts'
import { Interrupt, interrupted } from '../follow/keys.ts'
import { conclude, type Done, follow } from '../follow/operation.ts'
import { askBrowsing, type Browsing, isBrowsed, trustHint } from '../follow/trust-hint.ts'
import { isOver, stateOf, styleOf } from '../output/service-words.ts'
import { type Row, table } from '../output/table.ts'
import { isWatched, painter, print, say } from '../output/terminal.ts'

/** `locald up`: starts a project and, where a person watches, follows its logs. */
export async function up(context: Context): Promise<number> {
  const { flags } = context.words
  if (flags.has('attach') && flags.has('detach')) {
    throw new LocaldError('USAGE', '--attach and --detach exclude each other', { hint: 'Give one of them.' })
  }
  const target = targetOf(context)
  const since = new Date().toISOString()
  const daemon = await need(context.paths)
  const interrupt = new Interrupt()
  try {
    let browsing: Promise<Browsing | undefined> | undefined
    const seen = (event: LocaldEvent) => {
      // While services start: that takes longer.
      if (!context.json && isBrowsed(event)) browsing ??= askBrowsing(daemon)
    }
    const body = { ...target, env: callerEnvironment(), id: `${process.pid} ${since}` }
    const done = await start(context, daemon, interrupt, body, seen)
    if (done === undefined) return interrupted
    const code = await finish(context, done)
    const hint = code === 0 ? trustHint(done.services, await browsing) : undefined
    if (hint !== undefined) say(hint)
    const attaches = flags.has('attach') || (isWatched() && !flags.has('detach'))
    if (code !== 0 || context.json || !attaches || done.services.every(isOver)) return code
    const { attach } = await import('../follow/attach.ts')
    return await attach(context, daemon, { target, since, services: done.services, early: interrupt })
  } finally {
    interrupt.close()
  }
}

/** `locald restart`. */
export async function restart(context: Context): Promise<number> {
  const { names, flags } = context.words
  const body: RestartBody = {
    path: context.cwd,
    ...(names.length === 0 ? {} : { services: names }),
    ...(flags.has('dependents') ? { dependents: true } : {}),
    env: callerEnvironment(),
  }
  const daemon = await need(context.paths)
  const doing = 'restarting services'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/restart', body, doing })
  return await finish(context, await follow(context, stream, { doing }))
}

/** The first word is a folder if it looks like a path or is one; what follows are services. */
function targetOf(context: Context): TargetBody {
  const { names } = context.words
  const [first] = names
  const isThere = first !== undefined && isFolder(resolve(context.cwd, first))
  const isPath = first !== undefined && (first === '.' || first === '..' || first.includes('/') || isThere)
  if (isPath && !isThere) {
    throw new LocaldError('USAGE', `there is no folder ${first}`, {
      hint: 'Usage: `locald up [PATH] [SERVICE…]`; a word with a / is a path.',
    })
  }
  const services = isPath ? names.slice(1) : names
  return {
    path: isPath ? resolve(context.cwd, first) : context.cwd,
    ...(services.length === 0 ? {} : { services }),
  }
}

/** Runs `up` to its end. Ctrl-C meanwhile stops what it started (then undefined), a second one leaves at once. */
async function start(
  context: Context,
  daemon: Client,
  interrupt: Interrupt,
  body: UpBody & { readonly id: string },
  seen: (event: LocaldEvent) => void,
): Promise<Done | undefined> {
  const doing = 'starting the project'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/up', body, doing })
  interrupt.onFirst = () => stream.close()
  try {
    return await follow(context, stream, { doing, seen })
  } catch (error) {
    if (!interrupt.isPressed) throw error
    await takeBack(context, daemon, { path: body.path, begunBy: body.id, ...named(body) })
    return undefined
  }
}

/** Names lead to the projects to ask; those of this folder's project need none, and may be new to the daemon. */
function named({ services = [] }: UpBody): Pick<StopBody, 'services'> {
  return services.some(name => name.includes(':')) ? { services } : {}
}

async function takeBack(context: Context, daemon: Client, body: StopBody): Promise<void> {
  if (!context.json) say('Stopping what was started; Ctrl-C again to leave at once')
  const doing = 'stopping the project'
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing })
  await follow(context, stream, { doing })
}

async function finish(context: Context, done: Done): Promise<number> {
  if (done.ok && !context.json && done.services.length > 0) {
    print(table(['NAME', 'STATUS', 'URL'], done.services.map(rowOf), await painter(process.stdout)))
  }
  const code = conclude(context, done)
  const still = done.services.filter(view => code !== 0 && !isOver(view)).map(view => view.name)
  if (still.length > 0 && !context.json) say(`Still running: ${still.join(', ')}. \`locald stop\` stops them.`)
  return code
}

function rowOf(view: ServiceView): Row {
  const state = stateOf(view)
  const where = view.url ?? (view.port === null ? '-' : `127.0.0.1:${view.port}`)
  return { cells: [{ text: view.name }, { text: state, style: styleOf(state) }, { text: where }] }
}
