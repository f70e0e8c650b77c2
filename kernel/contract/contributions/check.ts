/** A check of `locald doctor`. `critical` alone makes doctor exit 1; nothing optional is critical. */
export interface Check {
  readonly id: string
  readonly title: string
  run(): Promise<CheckResult>
}

export interface CheckResult {
  readonly status: 'pass' | 'warn' | 'fail' | 'skip'
  readonly severity: 'critical' | 'important' | 'optional'
  readonly summary: string
  /**
   * How to fix it, in a sentence. `doctor --fix` runs the command of one that begins "Run `COMMAND`." or "Run
   * `COMMAND`:", unless it has sudo.
   */
  readonly fix?: string
}
