import { spawn } from 'node:child_process'
import { LocaldError } from '../errors.ts'
import type { DoctorAnswer, FixAnswer } from '../protocol.ts'
import { OperationQueue } from '../system/async.ts'
import { cliMain } from '../system/package.ts'

/** A fix that takes longer is killed, ms. */
const limitMs = 120_000
/** What is kept of its output, in UTF-16 units. */
const keptOutput = 65_536

/** Runs the commands that the checks name: only exactly those, one after the other. */
export class DoctorFixes {
  readonly #sandbox: string | undefined
  readonly #queue = new OperationQueue()
  readonly #running = new Map<string, Promise<FixAnswer>>()
  #known: ReadonlySet<string> = new Set()

  /** @param sandbox of the daemon, for commands of the CLI */
  constructor(sandbox: string | undefined) {
    this.#sandbox = sandbox
  }

  /** Remembers the commands of an answer; one of some checks only adds to those of the last whole one. */
  note(answer: DoctorAnswer, isWhole: boolean): DoctorAnswer {
    const found = answer.commands.filter(({ root }) => !root).map(({ command }) => command)
    this.#known = new Set(isWhole ? found : [...this.#known, ...found])
    return answer
  }

  /** Runs one of them; a second caller gets the result of the run that is under way. Throws USAGE for another one. */
  async run(command: string): Promise<FixAnswer> {
    const running = this.#running.get(command)
    if (running !== undefined) return await running
    if (!this.#known.has(command)) {
      throw new LocaldError('USAGE', 'the command is no fix of the last checks that needs no root', {
        hint: 'Run `locald doctor` to see the fixes.',
      })
    }
    const started = this.#queue.run(() => runShown(command, this.#sandbox))
    this.#running.set(command, started)
    return await started.finally(() => this.#running.delete(command))
  }
}

/** Runs a command without input; a command of locald runs with this installation, in this sandbox. */
function runShown(command: string, sandbox: string | undefined): Promise<FixAnswer> {
  const own = /^locald ([^|&;<>()$`'"\\]+)$/.exec(command)?.[1]
  const [program, ...words] = own === undefined ? ['sh', '-c', command] : [process.execPath, cliMain, ...own.split(' ')]
  const env = { ...process.env, ...(sandbox === undefined ? {} : { LOCALD_SANDBOX: sandbox }) }
  return new Promise(resolve => {
    let output = ''
    const child = spawn(program, words, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs })
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        output = `${output}${text}`.slice(-keptOutput)
      })
    child.once('error', error => resolve({ command, exitCode: null, output: error.message }))
    child.once('close', exitCode => resolve({ command, exitCode, output }))
  })
}
