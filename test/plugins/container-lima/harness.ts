import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Services } from '../../../kernel/contract/plugin.ts'
import { type TestKernel, testKernel } from '../../../kernel/testing/index.ts'
import type { Engine, EngineSource } from '../../../plugins/container/provides.ts'
import { containerLima } from '../../../plugins/container-lima/index.ts'
import { type Fault, kill, readPid } from '../../fakes/limactl/state.ts'
import { root } from '../../lib/user.ts'

/** A kernel with the plugin, and a stand-in of limactl with a LIMA_HOME of its own. */
export interface LimaTest {
  readonly kernel: TestKernel
  readonly source: EngineSource
  readonly home: string
  /** Folder of the VM. */
  readonly dir: string
  /** The steps that `up` got. */
  readonly steps: string[]
  /** Opens the engine, as an `up` does. */
  up(signal?: AbortSignal): Promise<Engine>
  /** Orders a fault; none: takes it back. */
  order(fault?: Fault): void
  /** The calls of limactl, by verb; those that only look are left out. */
  calls(): readonly string[]
  /** The pid in a file of the VM. */
  pid(file: string): number | undefined
}

export interface LimaTestInput {
  readonly settings?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly graceMs?: number
}

const main = join(root, 'build', 'test', 'fakes', 'limactl', 'main.js')

/** Writes the stand-in as a program, and returns its path. */
export function writeLimactl(folder: string): string {
  const program = join(folder, 'limactl')
  mkdirSync(folder, { recursive: true })
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' -- '${main}' "$@"\n`)
  chmodSync(program, 0o755)
  return program
}

/** Boots the plugin with the stand-in. */
export async function bootLima(
  t: Test,
  { settings = {}, env = {}, graceMs = 20_000 }: LimaTestInput = {},
): Promise<LimaTest> {
  const folder = mkdtempSync(join(tmpdir(), 'lima-'))
  const home = join(folder, 'home')
  mkdirSync(home)
  const dir = join(home, 'locald')
  const { PATH = '' } = process.env
  const own = { PATH, LIMACTL: writeLimactl(folder), LOCALD_LIMA_HOME: home, ...env }
  const times = { vm: { settleMs: 400, pollMs: 20 }, probe: { attemptMs: 5000, wholeMs: 5000, pauseMs: 20 }, graceMs }
  const sources: EngineSource[] = []
  const engines: Services['containerEngines'] = { add: source => void sources.push(source) }
  const kernel = await testKernel({
    plugins: [containerLima(own, times)],
    provide: {
      containerEngines: engines,
      control: {
        paused: (_, work) => work(),
        ...{ stop: async () => {}, wake: async () => {}, warn: () => {}, note: () => {} },
      },
    },
    settings: { 'container-lima': { allow_slow: true, ...settings } },
  })
  const pid = (file: string) => readPid(join(dir, file))
  t.teardown(async () => {
    await kernel.close()
    for (const file of ['ha.pid', 'qemu.pid']) kill(pid(file), 'SIGKILL')
    killContainers(dir)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  })
  const failed = (plugin: string, error: Error): never => {
    throw new Error(`${plugin}: ${error.message}`)
  }
  await kernel.hooks.loaded(failed)
  await kernel.hooks.booted(failed)
  const [source] = sources
  if (source === undefined) throw new Error(`no engine: ${JSON.stringify(kernel.plugins)}`)
  const steps: string[] = []
  return {
    ...{ kernel, source, home, dir, steps, pid },
    up: signal => source.open(text => void steps.push(text), signal),
    order: fault =>
      fault === undefined ? rmSync(join(home, '_fault'), { force: true }) : writeFileSync(join(home, '_fault'), fault),
    calls: () => readCalls(home).filter(verb => !['--version', 'list', 'info', 'shell'].includes(verb)),
  }
}

function readCalls(home: string): readonly string[] {
  const file = join(home, '_calls')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map((line): string[] => JSON.parse(line))
    .map(words => words.filter(word => word !== '--tty=false' && word !== '--log-format' && word !== 'json'))
    .map(([verb = '', flag]) => (flag === '--force' ? `${verb} --force` : verb))
}

function killContainers(dir: string): void {
  const folder = join(dir, 'guest', 'containers')
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const { pid }: { pid: number } = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    kill(pid, 'SIGKILL')
  }
}
