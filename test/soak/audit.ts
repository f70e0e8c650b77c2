import { setTimeout } from 'node:timers/promises'
import type { ServiceView } from '../../kernel/events.ts'
import { processList } from '../lib/process-list.ts'
import type { Stand } from './acts.ts'

/** Within so long after `up` everything is as it should be: ms. */
const settleMs = 10_000

/** Brings all projects up; then what is not as it should be: services that do not run, processes that should not. */
export async function audit(stand: Stand): Promise<readonly string[]> {
  for (const { folder } of stand.projects) await stand.box.up(folder)
  const end = performance.now() + settleMs
  for (;;) {
    const wrong = await look(stand)
    if (wrong.length === 0 || performance.now() > end) return wrong
    await setTimeout(100)
  }
}

async function look({ box, projects }: Stand): Promise<readonly string[]> {
  const views = await box.status()
  const processes = box.processes()
  const main = new Set(views.map(({ pid }) => pid))
  const programs = processes.filter(({ command }) => /(?:printer|web)\.mjs/.test(command) && !/keeper/.test(command))
  const daemons = processes.filter(({ command }) => /kernel\/daemon\.js/.test(command))
  const extra = programs.filter(({ pid }) => !main.has(pid) && processList.isAlive(pid))
  return [
    ...(views.length === projects.length * 3 ? [] : [`${views.length} services`]),
    ...views.filter(isWrong).map(view => `${view.key} is ${view.status}, ${view.health}: ${view.reason}`),
    ...(daemons.length <= 1 ? [] : [`${daemons.length} daemons: ${daemons.map(({ pid }) => pid).join(', ')}`]),
    ...extra.map(({ pid, command }) => `${pid} ${command} is no service`),
  ]
}

function isWrong({ pid, status, health, name }: ServiceView): boolean {
  if (pid === null || !processList.isAlive(pid) || status !== 'running') return true
  return name === 'web' && health !== 'healthy'
}
