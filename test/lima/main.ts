/**
 * `node main.js FOLDER`, started by `test/lima/run`, which has laid out limactl and the guest in that folder: checks
 * that limactl does what the driver needs. All processes and files are a sandbox's; it removes them at the end.
 */
import { join } from 'node:path'
import { freePort } from '../lib/ports.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { Checks, say, Unmet } from './checks.ts'
import { Limactl } from './limactl.ts'
import { guestTemplate, ownTemplate, qemuWithoutKvm } from './template.ts'
import { checkTool } from './tool.ts'

const stage = process.argv[2] ?? ''
const checks = new Checks()
const closing: (() => unknown)[] = []

async function run(): Promise<void> {
  const program = join(stage, 'bin', 'limactl')
  const teardown = (close: () => unknown) => closing.push(close)
  const box = new Sandbox({ teardown }, { env: { QEMU_SYSTEM_X86_64: qemuWithoutKvm } })
  const base = join(box.home, 'guest.yaml')
  box.write(base, guestTemplate(stage))
  const limactl = new Limactl(box, program, join(box.home, '.locald', 'l'))
  // Else the sandbox, which kills what is left, would find the guest.
  closing.unshift(() => limactl.run(['stop', '--force', 'locald']))
  const port = await freePort()
  await checkTool(checks, limactl, ownTemplate(base, port), port)
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
