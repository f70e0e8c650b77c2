import t, { type Test } from 'tap'
import { onlyLinux } from '../lib/machine.ts'
import { Sandbox, type SandboxOptions } from '../lib/sandbox.ts'

/** The platform that a test's daemon assumes. */
export interface Machine {
  readonly os: 'linux' | 'darwin'
  /** Creates a sandbox with such a daemon. */
  sandbox(options?: Omit<SandboxOptions, 'platform'>): Sandbox
}

/** More words for tap: a time limit in ms, or why it is skipped. */
export interface SuiteOptions {
  readonly timeout?: number
  readonly skip?: string | false
}

/** A file's tests in all, on a busy machine: ms. Each test has a limit of its own. */
const fileLimitMs = 900_000
/** ms */
const testLimitMs = 120_000

t.setTimeout(fileLimitMs)

const isNight = process.env['LOCALD_NIGHTLY'] === '1'
const isMac = process.platform === 'darwin'
const host: Machine['os'] = isMac ? 'darwin' : 'linux'
const systems: readonly Machine['os'][] = isMac ? ['darwin'] : ['linux', 'darwin']

/**
 * Registers a test twice: on this machine as it is, and with a daemon that assumes a Mac. The two run one after the
 * other. On a Mac once.
 */
export function onEach(
  name: string,
  body: (t: Test, machine: Machine) => Promise<void>,
  options: SuiteOptions = {},
): void {
  for (const os of systems) on(os, name, body, options)
}

/**
 * Registers a test in which the platform decides nothing: on this machine, and as a Mac only at night
 * (`LOCALD_NIGHTLY=1`).
 */
export function onHost(
  name: string,
  body: (t: Test, machine: Machine) => Promise<void>,
  options: SuiteOptions = {},
): void {
  if (isNight) onEach(name, body, options)
  else on(host, name, body, options)
}

/** Registers a test for one of them alone; on a Mac what is Linux's is skipped. */
export function on(
  os: Machine['os'],
  name: string,
  body: (t: Test, machine: Machine) => Promise<void>,
  options: SuiteOptions = {},
): void {
  const elsewhere = os === 'linux' && onlyLinux('the daemon assumes no other platform')
  void t.test(
    `${name} (${os})`,
    { timeout: testLimitMs, ...options, skip: elsewhere || options.skip || false },
    async t => {
      const platform = os === host ? undefined : os
      await body(t, { os, sandbox: more => new Sandbox(t, { ...more, platform }) })
    },
  )
}
