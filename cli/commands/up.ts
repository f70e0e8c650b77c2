import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { LocaldError } from '../../kernel/errors.ts'
import type { LocaldEvent, ServiceView } from '../../kernel/events.ts'
import type { RestartBody, TargetBody, UpBody } from '../../kernel/wire.ts'
import { type Client, need } from '../client.ts'
import type { Context } from '../context.ts'
import { environment } from '../environment.ts'
import { conclude, type Done, follow } from '../follow.ts'
import { isWatched, painter, print, say } from '../output.ts'
import { isOver, stateOf, styleOf } from '../services.ts'
import { type Row, table } from '../table.ts'

/** The exit code of a process that SIGINT ended, as shells count. */
const interrupted = 130

/** `locald up`: starts a project and, where a person watches, follows its logs. */
export async function up(context: Context): Promise<number> {
  const { flags } = context.words
  if (flags.has('attach') && flags.has('detach')) {
    throw new LocaldError('USAGE', '--attach and --detach exclude each other', { hint: 'Give one of them.' })
  }
  const target = targetOf(context)
  const since = new Date().toISOString()
  const daemon = await need(context.paths)
  const done = await start(context, daemon, { ...target, env: environment() })
  if (done === undefined) return interrupted
  const code = await finish(context, done)
  const attaches = flags.has('attach') || (isWatched() && !flags.has('detach'))
  if (code !== 0 || context.json || !attaches || done.services.every(isOver)) return code
  const { attach } = await import('../attach.ts')
  return await attach(context, daemon, { target, since, services: done.services })
}

/** `locald restart`. */
export async function restart(context: Context): Promise<number> {
  const { names, flags } = context.words
  const body: RestartBody = {
    path: context.cwd,
    ...(names.length === 0 ? {} : { services: names }),
    ...(flags.has('dependents') ? { dependents: true } : {}),
    env: environment(),
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
  const isPath =
    first !== undefined && (first === '.' || first === '..' || first.includes('/') || isFolder(context, first))
  if (isPath && !isFolder(context, first)) {
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

function isFolder(context: Context, path: string): boolean {
  return statSync(resolve(context.cwd, path), { throwIfNoEntry: false })?.isDirectory() === true
}

/** Runs `up` to its end. Ctrl-C meanwhile stops what it started (then undefined), a second one leaves at once. */
async function start(context: Context, daemon: Client, body: UpBody): Promise<Done | undefined> {
  const doing = 'starting the project'
  const begun = new Set<string>()
  let isInterrupted = false
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/up', body, doing })
  const onInterrupt = () => {
    if (isInterrupted) process.exit(interrupted)
    isInterrupted = true
    stream.close()
  }
  process.on('SIGINT', onInterrupt)
  try {
    const seen = (event: LocaldEvent) => {
      if (event.event === 'service' && stateOf(event.service) !== 'ready') begun.add(event.service.key)
    }
    return await follow(context, stream, { doing, seen })
  } catch (error) {
    if (!isInterrupted) throw error
    await takeBack(context, daemon, body.path, [...begun])
    return undefined
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

async function takeBack(context: Context, daemon: Client, path: string, services: readonly string[]): Promise<void> {
  if (services.length === 0) return
  if (!context.json) say('Stopping what was started; Ctrl-C again to leave at once')
  const doing = 'stopping the project'
  const body = { path, services }
  const stream = daemon.stream<LocaldEvent>({ method: 'POST', path: '/v1/projects/stop', body, doing })
  await follow(context, stream, { doing })
}

async function finish(context: Context, done: Done): Promise<number> {
  if (done.ok && !context.json && done.services.length > 0) {
    print(table(['NAME', 'STATUS', 'URL'], done.services.map(rowOf), await painter(process.stdout)))
  }
  return conclude(context, done)
}

function rowOf(view: ServiceView): Row {
  const state = stateOf(view)
  const where = view.url ?? (view.port === null ? '-' : `127.0.0.1:${view.port}`)
  return { cells: [{ text: view.name }, { text: state, style: styleOf(state) }, { text: where }] }
}
