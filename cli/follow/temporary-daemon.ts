import { existsSync } from 'node:fs'
import type { RegistryAnswer, StatusAnswer } from '../../kernel/protocol.ts'
import type { Context } from '../context.ts'
import { type Client, findDaemon, requireDaemon } from '../daemon/client.ts'
import { isActive } from '../output/service-state.ts'
import { shutDownDaemon } from './shutdown.ts'

/**
 * Calls `use` with the daemon. One that was started only for that is stopped again, unless projects are pinned, a service
 * runs by then, or the machine starts it anyway.
 */
export async function withDaemon<T>(context: Context, use: (daemon: Client) => Promise<T>): Promise<T> {
  const { paths } = context
  const running = await findDaemon(paths)
  running?.close()
  const daemon = await requireDaemon(paths)
  if (running !== undefined || existsSync(paths.boot)) return await use(daemon)
  try {
    return await use(daemon)
  } finally {
    await stopUnused(context)
  }
}

async function stopUnused(context: Context): Promise<void> {
  const daemon = await findDaemon(context.paths)
  if (daemon === undefined) return
  const { projects } = await daemon.get<RegistryAnswer>('/v1/registry')
  const { services } = await daemon.get<StatusAnswer>('/v1/services', { path: '/', all: true })
  const isUsed = services.some(isActive)
  if (isUsed || projects.some(({ pinned }) => pinned)) return
  // What another command starts meanwhile is adopted by the next daemon.
  await shutDownDaemon({ ...context, json: false }, daemon, { keepServices: true })
}
