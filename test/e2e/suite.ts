import t, { type Test } from 'tap'
import { Sandbox, type SandboxOptions } from './sandbox.ts'

/** What the daemon of a test is told it runs on. */
export interface Machine {
  readonly os: 'linux' | 'darwin'
  /** A sandbox whose daemon is told so. */
  sandbox(options?: Omit<SandboxOptions, 'platform'>): Sandbox
}

/** More words for tap: a time limit in ms, or why it is skipped. */
export interface SuiteOptions {
  readonly timeout?: number
  readonly skip?: string
}

/** A file's tests in all, on a busy machine: ms. Each test has a limit of its own. */
const fileLimitMs = 900_000
/** ms */
const testLimitMs = 120_000

t.setTimeout(fileLimitMs)

const isNight = process.env['LOCALD_NIGHTLY'] === '1'
const systems = ['linux', 'darwin'] as const

/** Registers a test twice: on this machine as it is, and with the daemon told that it is a Mac. The two run one after the other. */
export function onEach(
  name: string,
  body: (t: Test, machine: Machine) => Promise<void>,
  options: SuiteOptions = {},
): void {
  for (const os of systems) on(os, name, body, options)
}

/** Registers a test in which the platform decides nothing: on this machine, and as a Mac only at night (`LOCALD_NIGHTLY=1`). */
export function onHost(
  name: string,
  body: (t: Test, machine: Machine) => Promise<void>,
  options: SuiteOptions = {},
): void {
  if (isNight) onEach(name, body, options)
  else on('linux', name, body, options)
}

/** Registers a test for one of them alone. */
export function on(
  os: Machine['os'],
  name: string,
  body: (t: Test, machine: Machine) => Promise<void>,
  options: SuiteOptions = {},
): void {
  void t.test(`${name} (${os})`, { timeout: testLimitMs, ...options }, async t => {
    const platform = os === 'darwin' ? os : undefined
    await body(t, { os, sandbox: more => new Sandbox(t, { ...more, platform }) })
  })
}
