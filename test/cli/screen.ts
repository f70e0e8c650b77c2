import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { environment, type FakeDaemon, main, type Test } from './fake-daemon.ts'

/**
 * Runs argv in a terminal of 80 columns, its keys from stdin and its screen to stdout, and prints at its end on stderr
 * its exit code and whether the terminal is as before.
 */
const terminal = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    # Here, as the parent may come to it only after the program has looked.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
keys = [0]
while True:
    ready, _, _ = select.select([fd] + keys, [], [])
    if 0 in ready:
        data = os.read(0, 1024)
        if data: os.write(fd, data)
        else: keys = []
    if fd in ready:
        try: data = os.read(fd, 65536)
        except OSError: break
        if not data: break
        os.write(1, data)
_, status = os.waitpid(pid, 0)
os.write(2, b'code %d' % os.waitstatus_to_exitcode(status))
`

/** Runs it below a shell, which prints afterwards whether the terminal's state is as before. */
const shell =
  'trap : INT; stty -a > "$BEFORE"; "$@"; code=$?; stty -a > "$AFTER"; diff "$BEFORE" "$AFTER" >&2 && echo restored >&2; exit $code'

/** A command in a terminal. */
export class Screen {
  text = ''
  state = ''
  readonly #child: ChildProcess
  readonly #changed: (() => void)[] = []

  constructor(t: Test, daemon: FakeDaemon, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const all = environment(daemon.home, {
      LOCALD_SOCKET: daemon.socket,
      TERM: 'xterm',
      BEFORE: `${daemon.home}/before`,
      AFTER: `${daemon.home}/after`,
      ...env,
    })
    const argv = ['-c', terminal, 'sh', '-c', shell, 'sh', process.execPath, main, ...args]
    this.#child = spawn('python3', argv, { cwd: daemon.home, env: all })
    // Without the terminal, the processes in it get SIGHUP.
    t.teardown(() => this.#child.kill('SIGKILL'))
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.text += text
      for (const look of this.#changed) look()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.state += text
    })
  }

  press(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Resolves when the screen has shown the text. */
  async shows(text: string): Promise<void> {
    const timer = AbortSignal.timeout(20_000)
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        if (this.text.includes(text)) resolve()
      }
      this.#changed.push(look)
      timer.addEventListener('abort', () => reject(new Error(`never shown: ${text}\n${JSON.stringify(this.text)}`)))
      look()
    })
  }

  /** The exit code; the terminal must be as before. */
  async ends(): Promise<string> {
    await once(this.#child, 'close')
    return this.text.includes('restored') ? `${this.state}, restored` : `${this.state}\n${this.text}`
  }
}
