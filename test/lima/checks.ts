/** Counts what was checked, as `npm run test:vm` does. */
export class Checks {
  passed = 0
  failed = 0

  /** Runs a check and prints its result; whether it passed. */
  async run(name: string, test: () => unknown): Promise<boolean> {
    const began = performance.now()
    const seconds = () => ((performance.now() - began) / 1000).toFixed(1)
    try {
      await test()
      this.passed++
      say(`ok - ${name} (${seconds()} s)`)
      return true
    } catch (error) {
      this.failed++
      say(`not ok - ${name} (${seconds()} s)`)
      say(String(error instanceof Error ? error.stack : error).replace(/^/gm, '#   '))
      return false
    }
  }

  /** As `run`; throws when it fails, as nothing after it could pass. */
  async need(name: string, test: () => unknown): Promise<void> {
    if (!(await this.run(name, test))) throw new Unmet(`nothing is checked after: ${name}`)
  }

  end(): void {
    say(`\n${this.passed} passed, ${this.failed} failed, 0 skipped`)
  }
}

/** A check failed that all later ones need. */
export class Unmet extends Error {}

/** Prints a line. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
