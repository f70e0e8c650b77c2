/**
 * `node main.js FOLDER [PART…]`, started by `test/lima/run`, which has laid out limactl and the guest in that folder.
 * The parts: `tool` checks that limactl does what the driver needs; `driver` checks locald with it. Default: both.
 * All processes and files are a sandbox's; it removes them at the end.
 */
import { join } from 'node:path'
import { freePort } from '../lib/ports.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { Checks, say, Unmet } from './checks.ts'
import { checkDriver, driverConfig } from './driver.ts'
import { Limactl } from './limactl.ts'
import { guestTemplate, ownTemplate, qemuWithoutKvm } from './template.ts'
import { checkTool } from './tool.ts'

const [, , stage = '', ...given] = process.argv
const parts = given.length === 0 ? ['tool', 'driver'] : given
const checks = new Checks()
const closing: (() => unknown)[] = []

async function run(): Promise<void> {
  const program = join(stage, 'bin', 'limactl')
  const teardown = (close: () => unknown) => closing.push(close)
  const box = new Sandbox({ teardown }, { env: { QEMU_SYSTEM_X86_64: qemuWithoutKvm, LOCALD_START_TIMEOUT: '120' } })
  const base = join(box.home, 'guest.yaml')
  box.write(base, guestTemplate(stage))
  const limactl = new Limactl(box, program, join(box.home, '.locald', 'l'))
  // Else the sandbox, which kills what is left, would find the guest.
  closing.unshift(() => limactl.run(['stop', '--force', 'locald']))
  if (parts.includes('tool')) {
    const port = await freePort()
    await checkTool(checks, limactl, ownTemplate(base, port), port)
  }
  if (parts.includes('driver')) await checkDriver(checks, box, limactl, driverConfig(base))
}

async function close(): Promise<void> {
  await checks.run('no process is left', async () => {
    for (const each of closing.splice(0)) await each()
  })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void close().finally(() => process.exit(1)))
}
try {
  await run()
} catch (error) {
  if (!(error instanceof Unmet)) checks.failed++
  say(String(error))
}
await close()
checks.end()
process.exit(checks.failed === 0 ? 0 : 1)
