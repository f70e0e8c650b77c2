import t, { type Test } from 'tap'
import { ContainerSandbox, noContainers } from '../lib/containers.ts'
import type { SandboxOptions } from '../lib/sandbox.ts'

/** More words for a test of containers. */
export interface ContainerTestOptions {
  /** ms */
  readonly timeout?: number
  readonly skip?: string | false
  readonly sandbox?: SandboxOptions
}

/** ms; an engine that has to do much at a time takes seconds for what takes it 0.3 s. */
const testLimitMs = 180_000

t.setTimeout(600_000)

/** Registers a test with a sandbox whose daemon has a container engine. */
export function onEngine(
  name: string,
  body: (t: Test, sandbox: ContainerSandbox) => Promise<void>,
  options: ContainerTestOptions = {},
): void {
  const { timeout = testLimitMs, skip = false } = options
  void t.test(name, { timeout, skip: noContainers || skip }, async t => {
    await body(t, new ContainerSandbox(t, options.sandbox))
  })
}
