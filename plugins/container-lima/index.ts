import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import type { FeatureState, Plugin } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import { limaChecks } from './checks.ts'
import { installHint } from './failures.ts'
import { instance } from './lima-home.ts'
import { LimaMachine, type LimaTimes } from './lima-machine.ts'
import { limaSource } from './lima-source.ts'
import { optionsShape } from './options.ts'
import { vmCommand } from './vm-command.ts'

/** Creates the plugin; tests give it another environment and shorter times. */
export function containerLima(env: NodeJS.ProcessEnv = process.env, times: LimaTimes = {}): Plugin {
  return {
    name: 'container-lima',
    api: 1,
    after: ['container', 'platform-linux', 'platform-darwin'],
    needs: ['containerEngines'],
    options: optionsShape,
    setup(host) {
      const machine = new LimaMachine(host, env, times)
      let feature: FeatureState = { on: false, reason: 'Lima was not looked for yet', hint: installHint }
      const refresh = async (): Promise<void> => {
        feature = await featureOf(machine)
      }
      host.feature('vm', () => feature)
      host.command(vmCommand(machine, host.platform, refresh))
      host.disk(async () => [
        { what: 'virtual machine', path: machine.limaHome },
        { what: 'Lima', path: dirname(machine.dist) },
      ])
      for (const check of limaChecks(machine, host.platform)) host.check(check)
      host.hooks.loaded.tapPromise('container-lima', async () => {
        host.use.containerEngines.add(limaSource(machine))
        await refresh()
      })
      host.hooks.booted.tap('container-lima', () => {
        // limactl takes a while, and the daemon need not wait for it.
        void machine.watchRunning().catch((error: unknown) => host.log.warn(messageOf(error)))
      })
      host.hooks.closing.tapPromise('container-lima', async () => {
        machine.usage.cancel()
        if (machine.options.stopWithDaemon) await stopInBackground(machine)
      })
    },
  }
}

export default containerLima()

async function featureOf(machine: LimaMachine): Promise<FeatureState> {
  if ((await machine.find()) === undefined) {
    return {
      on: false,
      reason: 'Lima is not installed',
      hint: `${installHint} No service needs a VM where an engine runs.`,
    }
  }
  const fault = machine.options.allowSlow ? undefined : await machine.kvmFault()
  return fault === undefined ? { on: true } : { on: false, ...fault }
}

/** Stopping takes longer than the daemon has: limactl goes on without it. */
async function stopInBackground(machine: LimaMachine): Promise<void> {
  const found = await machine.find()
  if (found === undefined || !found.vm.isUp) return
  const [program, ...args] = found.limactl.argv('stop', instance)
  const child = spawn(program, args, { env: found.limactl.env, detached: true, stdio: 'ignore' })
  child.on('error', () => {})
  child.unref()
}
