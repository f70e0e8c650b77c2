import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { program } from '../folders.ts'
import { Locald } from '../locald.ts'
import { interleave, median, timed } from '../measure.ts'
import { allAccept, freePorts, noneAccept } from '../ports.ts'
import type { Found, Row } from '../report.ts'

/** Measures a restart, from the request to ready, against the time the service itself takes to listen. */
export async function restart({ smoke }: { readonly smoke: boolean }): Promise<Found> {
  const listener = program('listener')
  const commands = { listener: `exec ${listener}`, 'listener after 0.3 s': `sleep 0.3; exec ${listener}` }
  const rows: Row[] = []
  for (const [name, command] of Object.entries(commands)) rows.push(...(await measured(name, command, smoke ? 1 : 15)))
  return { bench: 'restart', about: 'a restart until the service is ready', rows, skipped: [] }
}

async function measured(name: string, command: string, rounds: number): Promise<Row[]> {
  const locald = new Locald(`[project]\nname = "bench"\n[services.one]\ncommand = "${command}"\n`)
  try {
    locald.run('up')
    await locald.ask('GET', '/v1/ping')
    const ports = await freePorts(1, 31_500)
    const body = { path: locald.project, services: ['one'], env: { PATH: process.env['PATH'] ?? '' } }
    const results = await interleave(rounds, {
      alone: () => alone(command, ports),
      daemon: () => timed(() => locald.ask('POST', '/v1/projects/restart', body)),
      node: () => timed(() => once(spawn(process.execPath, ['-e', '0']), 'exit')),
      command: () => timed(() => locald.run('restart', 'one')),
    })
    const [own, daemon, node, whole] = ['alone', 'daemon', 'node', 'command'].map(key => median(results.get(key) ?? []))
    const over = (daemon ?? Number.NaN) - (own ?? Number.NaN)
    return [
      { what: `${name}, alone`, value: own ?? Number.NaN, unit: 'ms' },
      { what: `${name}, restarted by the daemon`, value: daemon ?? Number.NaN, unit: 'ms' },
      { what: '  … over its own time', value: over, unit: 'ms', target: '<= 50 ms', met: over <= 50 },
      { what: '  … `locald restart` less `node -e 0`', value: (whole ?? 0) - (node ?? 0), unit: 'ms' },
    ]
  } finally {
    await locald.close()
  }
}

/** Measures from the start of the command until its port accepts, without a supervisor. */
async function alone(command: string, ports: readonly number[]): Promise<number> {
  const began = performance.now()
  const child = spawn('/bin/sh', ['-c', command], { env: { ...process.env, PORT: String(ports[0]) }, stdio: 'ignore' })
  await allAccept(ports)
  const elapsed = performance.now() - began
  child.kill()
  await noneAccept(ports)
  return elapsed
}
