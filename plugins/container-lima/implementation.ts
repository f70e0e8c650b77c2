import { spawn } from 'node:child_process'
import type { CheckResult, Command, FeatureState, Host } from '../../kernel/contract/plugin.ts'
import { messageOf } from '../../kernel/errors.ts'
import type { EngineSource } from '../container/provides.ts'
import { runCheck } from './checks.ts'
import type { LimaFiles } from './lima-files.ts'
import { instance } from './lima-home.ts'
import { LimaMachine, type LimaTimes } from './lima-machine.ts'
import type { CheckId } from './titles.ts'
import { lookAtVm } from './vm-look.ts'
import { runVmCommand } from './vm-run.ts'

/** What is imported once Lima is there, or is asked for. */
export interface Implementation extends Pick<EngineSource, 'look' | 'open'> {
  /** @param refresh reads again what this machine has */
  command(refresh: () => Promise<void>): Command['run']
  check(id: CheckId): Promise<CheckResult>
  /** Returns the state of the feature, where Lima is installed. */
  feature(): Promise<FeatureState>
  /** Watches a VM that runs since an earlier daemon. */
  watch(): void
  /** Stops watching; where the options say so, the VM, too. */
  close(): Promise<void>
}

export function implement(host: Host, env: NodeJS.ProcessEnv, files: LimaFiles, times: LimaTimes): Implementation {
  const machine = new LimaMachine(host, env, files, times)
  return {
    look: signal => lookAtVm(machine, signal),
    open: (step, signal) => machine.open(step, signal),
    command: refresh => (argv, context) => runVmCommand(argv, { machine, platform: host.platform, context, refresh }),
    check: id => runCheck(id, machine, host.platform),
    async feature() {
      const fault = machine.options.allowSlow ? undefined : await machine.kvmFault()
      return fault === undefined ? { on: true } : { on: false, ...fault }
    },
    watch() {
      // limactl takes a while, and the daemon need not wait for it.
      void machine.watchRunning().catch((error: unknown) => host.log.warn(messageOf(error)))
    },
    async close() {
      machine.usage.cancel()
      if (machine.options.stopWithDaemon) await stopInBackground(machine)
    },
  }
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
