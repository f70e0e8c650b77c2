import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Xterm } from './xterm.ts'

/**
 * Runs argv in a pseudo-terminal of a size, as its session leader. Orders come as lines of JSON on stdin: keys to type,
 * sizes, signals, the end of the terminal. The screen goes to stdout; at its exit stderr gets the exit code, and whether
 * the terminal's mode is as before.
 */
const program = `
import fcntl, json, os, select, signal, struct, sys, termios
master, slave = os.openpty()
def resize(columns, rows): fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
resize(int(sys.argv[1]), int(sys.argv[2]))
before = termios.tcgetattr(slave)
woken, wake = os.pipe()
os.set_blocking(wake, False)
signal.set_wakeup_fd(wake)
signal.signal(signal.SIGCHLD, lambda *_: None)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2): os.dup2(slave, fd)
    os.closerange(3, 64)
    os.execvp(sys.argv[3], sys.argv[3:])
sources, orders, isOpen = [master, 0, woken], b'', True
while True:
    ready, _, _ = select.select(sources, [], [])
    if master in ready:
        os.write(1, os.read(master, 65536))
    if 0 in ready:
        data = os.read(0, 65536)
        if not data: sources.remove(0)
        *lines, orders = (orders + data).split(b'\\n')
        for order in map(json.loads, lines):
            if 'keys' in order: os.write(master, order['keys'].encode())
            if 'size' in order: resize(*order['size'])
            if 'signal' in order: os.kill(pid, order['signal'])
            if 'hangUp' in order:
                sources.remove(master)
                os.close(master)
                isOpen = False
    if woken in ready:
        os.read(woken, 64)
        done, status = os.waitpid(pid, os.WNOHANG)
        if done: break
while isOpen and select.select([master], [], [], 0)[0]: os.write(1, os.read(master, 65536))
restored = not isOpen or termios.tcgetattr(slave) == before
print(json.dumps({'code': os.waitstatus_to_exitcode(status), 'isRestored': restored}), file=sys.stderr)
`

/** How a program in a terminal exited: its code, negative for a signal, and whether the mode is as before. */
export interface TerminalExit {
  readonly code: number
  readonly isRestored: boolean
}

export interface TerminalOptions {
  readonly columns?: number
  readonly rows?: number
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** A part of tap's `t`. */
interface Test {
  teardown(close: () => unknown): void
}

/** ms */
const limitMs = 20_000

/** A program in a terminal, whose screen can be read. */
export class PseudoTerminal {
  readonly xterm: Xterm
  /** All that the program has written. */
  output = ''
  readonly exit: Promise<TerminalExit>
  readonly #child: ChildProcess
  readonly #looks = new Set<() => void>()

  constructor(t: Test, argv: readonly string[], options: TerminalOptions) {
    const { columns = 80, rows = 24, cwd, env } = options
    this.xterm = new Xterm(columns, rows)
    // By env(1), as python3 needs the tester's own environment.
    const pairs = Object.entries({ TERM: 'xterm-256color', ...env }).map(([key, value]) => `${key}=${value}`)
    const words = ['-c', program, String(columns), String(rows), 'env', '-i', ...pairs, ...argv]
    this.#child = spawn('python3', words, { cwd })
    // Without the terminal, the processes in it get SIGHUP.
    t.teardown(() => this.#child.kill('SIGKILL'))
    this.exit = this.#follow()
    // Killed at the end of a test, it reports nothing.
    this.exit.catch(() => undefined)
  }

  press(keys: string): void {
    this.#order({ keys })
  }

  async resize(columns: number, rows: number): Promise<void> {
    this.xterm.resize(columns, rows)
    this.#order({ size: [columns, rows] })
  }

  /** Sends a signal, by its number, to the first process in the terminal. */
  signal(signal: number): void {
    this.#order({ signal })
  }

  /** Closes the terminal, as when its window is closed. */
  hangUp(): void {
    this.#order({ hangUp: true })
  }

  /** The lines of the screen as one text. */
  get text(): string {
    return this.xterm.lines.join('\n')
  }

  /** Resolves when the screen matches. */
  async shows(what: string | RegExp | ((text: string) => boolean)): Promise<void> {
    const isShown = () =>
      typeof what === 'string'
        ? this.text.includes(what)
        : what instanceof RegExp
          ? what.test(this.text)
          : what(this.text)
    if (isShown()) return
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error(`never shown: ${what}\n${this.text}`))), limitMs)
      const look = () => {
        if (isShown()) settle(resolve)
      }
      const settle = (end: () => void) => {
        clearTimeout(timer)
        this.#looks.delete(look)
        end()
      }
      this.#looks.add(look)
    })
  }

  #order(order: object): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`)
  }

  async #follow(): Promise<TerminalExit> {
    let said = ''
    this.#child.stderr?.setEncoding('utf8').on('data', text => {
      said += text
    })
    let written = Promise.resolve()
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
      written = this.xterm.write(text).then(() => {
        for (const look of this.#looks) look()
      })
    })
    this.#child.stdin?.on('error', () => {})
    await once(this.#child, 'close')
    await written
    const exit: TerminalExit = JSON.parse(said.trimEnd().split('\n').at(-1) ?? '')
    return exit
  }
}
