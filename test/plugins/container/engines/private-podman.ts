import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runEngine, tryEngine } from '../../../../plugins/container/calls/run-engine.ts'
import { PodmanSource } from '../../../../plugins/container/engines/podman.ts'
import type { Engine } from '../../../../plugins/container/provides.ts'
import { machineOf } from './machine.ts'

/** A podman with storage and settings of a test's own. */
export interface PrivatePodman {
  readonly engine: Engine
  /** Runs a command; what it prints, trimmed. Throws unless it exits with 0. */
  ask(...args: readonly string[]): Promise<string>
}

/** Makes one for the user of the tests; all that is made in it is removed. */
export async function privatePodman(
  t: { teardown(close: () => unknown): void },
  { runtime = 'runc' }: { readonly runtime?: string } = {},
): Promise<PrivatePodman> {
  const home = mkdtempSync(join(tmpdir(), 'locald-podman-'))
  const write = (name: string, text: string): string => {
    const file = join(home, name)
    writeFileSync(file, text)
    return file
  }
  const storage = `[storage]\ndriver = "vfs"\nrunroot = "${home}/run"\ngraphroot = "${home}/graph"\n`
  const containers = `[containers]\nlog_driver = "k8s-file"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n[network]\nnetwork_backend = "netavark"
network_config_dir = "${home}/networks"
[engine]\nruntime = "${runtime}"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "${home}/libpod"\n`
  mkdirSync(join(home, '.config', 'containers'), { recursive: true })
  write('.config/containers/policy.json', '{ "default": [{ "type": "insecureAcceptAnything" }] }\n')
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    XDG_RUNTIME_DIR: home,
    TMPDIR: home,
    CONTAINERS_STORAGE_CONF: write('storage.conf', storage),
    CONTAINERS_CONF: write('containers.conf', containers),
  }
  const engine = await new PodmanSource(machineOf({ home, env, uid: process.getuid?.() ?? 0 })).open(() => {})
  t.teardown(async () => {
    await tryEngine(engine, ['rm', '--all', '--force', '--time', '0'])
    await tryEngine(engine, ['rmi', '--all', '--force'])
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })
  return { engine, ask: async (...args) => (await runEngine(engine, args)).trim() }
}
