/**
 * Measures container services against `podman run` by hand and its first answer, side by side in one run.
 *
 *   node build/bench/containers.js [ROUNDS [IDLE SECONDS]]     default: 7 rounds, 60 s
 */
import { readFileSync } from 'node:fs'
import { ContainerSandbox, noContainers } from '../test/lib/containers.ts'
import { configuration, textOf } from '../test/lib/containers-project.ts'
import { freePort } from '../test/lib/ports.ts'
import { interleave, median, timed } from './measure.ts'

const many = 10
const [rounds = 7, idleSeconds = 60] = process.argv.slice(2).map(Number)

if (noContainers !== false) throw new Error(noContainers)
const closes: (() => unknown)[] = []
const sandbox = new ContainerSandbox({ teardown: close => closes.unshift(close) })
try {
  await measure()
} finally {
  for (const close of closes) await close()
}

async function measure(): Promise<void> {
  const web = { image: await sandbox.image('web'), container_port: 80 }
  const names = Array.from({ length: many }, (_, index) => `s${index}`)
  const services = Object.fromEntries(['anchor', 'one', ...names].map(name => [name, web]))
  const folder = sandbox.project('bench', { 'locald.toml': configuration('bench', services) })
  // It keeps the project's network, which both sides use.
  await sandbox.up(folder, ['anchor'])
  const [network = ''] = await sandbox.networks()

  const byHand = async (name: string): Promise<void> => {
    const port = await freePort()
    const flags = ['--init', '--network', network, '--network-alias', name, '-p', `127.0.0.1:${port}:80`]
    await sandbox.ask('run', '-d', '--name', `hand-${name}`, ...flags, web.image)
    await textOf(port)
  }
  const byLocald = async (wanted: readonly string[]): Promise<number> => {
    const took = await timed(() => sandbox.up(folder, wanted))
    await sandbox.ok(['stop', ...wanted], { cwd: folder })
    return took
  }
  const runAll = async (wanted: readonly string[]): Promise<number> => {
    const took = await timed(() => Promise.all(wanted.map(byHand)))
    await sandbox.ask('rm', '-f', '-t', '0', ...wanted.map(name => `hand-${name}`))
    return took
  }
  for (const [what, wanted, target] of [
    ['one container, up to ready', ['one'], 1.2],
    [`${many} containers at once`, names, 1.3],
  ] as const) {
    const found = await interleave(rounds, { locald: () => byLocald(wanted), podman: () => runAll(wanted) })
    const [own, peer] = [median(found.get('locald') ?? []), median(found.get('podman') ?? [])]
    const ratio = own / peer
    console.log(
      `${what}: ${Math.round(own)} ms, podman run ${Math.round(peer)} ms: ${ratio.toFixed(2)}x (target <= ${target}x)`,
    )
  }

  await sandbox.up(folder, names)
  const { pid } = await sandbox.server()
  // What starts need once is over.
  await sleep(5000)
  const before = cpuMs(pid)
  await sleep(idleSeconds * 1000)
  console.log(
    `daemon with ${many + 1} idle containers: ${cpuMs(pid) - before} ms of CPU in ${idleSeconds} s (target 0)`,
  )
}

/** CPU time of a process so far: utime and stime in /proc/PID/stat, in ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function sleep(ms: number): Promise<void> {
  return new Promise(wake => setTimeout(wake, ms))
}
