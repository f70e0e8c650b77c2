import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Sandbox } from '../lib/sandbox.ts'
import type { Machine } from './suite.ts'

/** The stand-in's source: these files run in build/test/e2e. */
const source = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'e2e', 'launchctl.py')

/** A job as the stand-in for launchd has it. */
export interface Job {
  readonly pid: number | null
  /** How often it was started. */
  readonly runs: number
  readonly exit: number | null
}

/** A sandbox on a Mac that has a launchd of its own, with shorter times: s. */
export interface WithLaunchd {
  readonly box: Sandbox
  /** Of commands that are to find launchctl: a folder of a name that must be escaped is first on PATH. */
  readonly env: Readonly<Record<string, string>>
  readonly label: string
  /** The agent's file. */
  readonly file: string
  readonly gui: string
  readonly user: string
}

const removalS = 0.5
export const throttleS = 0.5

/** Makes a sandbox with the stand-in for launchctl, which runs a job again after `throttle` seconds. */
export function withLaunchd(machine: Machine, throttle = throttleS): WithLaunchd {
  const box = machine.sandbox()
  const bin = join(box.home, `a & <b> "c" 'd' é %s`)
  box.write(join(bin, 'launchctl'), readFileSync(source, 'utf8'), 0o755)
  const times = { LAUNCHD_REMOVAL: String(removalS), LAUNCHD_THROTTLE: String(throttle) }
  // Of macOS 26: launchd is asked for nothing that was not installed.
  const env = { PATH: `${bin}:${box.env['PATH']}`, LOCALD_PLATFORM_RELEASE: '25.0.0', ...times }
  const label = `dev.locald.${box.name}`
  const file = join(box.home, 'Library', 'LaunchAgents', `${label}.plist`)
  const uid = box.user?.uid ?? process.getuid?.()
  return { box, env, label, file, gui: `gui/${uid}/${label}`, user: `user/${uid}/${label}` }
}

/** The jobs that launchd has, by domain and label. */
export function jobsOf({ box }: Pick<WithLaunchd, 'box'>): Readonly<Record<string, Job>> {
  const file = join(box.home, 'launchd.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).jobs : {}
}

/** Runs the stand-in as a person would. Throws unless it exits with 0. */
export async function launchctl({ box, env }: WithLaunchd, ...words: readonly string[]): Promise<string> {
  const ran = await box.spawn(['launchctl', ...words], { env }).done
  if (ran.code !== 0) throw new Error(`launchctl ${words.join(' ')}: ${ran.code} ${ran.stderr}`)
  return ran.stdout
}
