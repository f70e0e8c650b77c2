import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, locald, type Test } from '../fake-daemon.ts'

/** The message of `up`: the projects of the scripted daemon have no services. */
export const noServices = 'The project has no services. Add one to its configuration.\n'

/** flock(1), which macOS has not: what it runs inherits the file. */
const flock = `perl -MFcntl=:flock -e '$^F = 255; open(F, ">>", shift) && flock(F, LOCK_EX | LOCK_NB) or exit 75; exec @ARGV'`

/**
 * Stands for the keeper: `lock FILE -- …` runs the scripted daemon under an exclusive lock, exit code 75 when it is
 * held.
 */
const keeper = `#!/bin/sh
test "$LOCALD_FAKE_MODE" != killed || kill -9 $$
printf '%s\\n' "$*" >> "$HOME/keeper"
lock=$2; shift 3
test "$2" = lock && exec ${flock} "$lock" "$@"
exec ${flock} "$lock" "$1" "$HOME/daemon.mjs"
`

const daemon = `
import { appendFileSync, closeSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
const { HOME, LOCALD_FAKE_MODE, LOCALD_SANDBOX, ...others } = process.env
appendFileSync(HOME + '/daemons', process.pid + '\\n')
appendFileSync(HOME + '/facts', JSON.stringify({ cwd: process.cwd(), sandbox: LOCALD_SANDBOX }) + '\\n')
console.error('a line of', process.pid)
if (LOCALD_FAKE_MODE === 'dies') process.exit(3)
if (LOCALD_FAKE_MODE === 'hangs') await new Promise(resolve => setTimeout(resolve, 1_000_000))
if (LOCALD_FAKE_MODE === 'refuses') {
  writeSync(3, JSON.stringify({ ok: false, error: { code: 'PATHS_UNUSABLE', message: 'no room', hint: 'Make some.' } }) + '\\n')
  process.exit(1)
}
const socket = others.LOCALD_FAKE_SOCKET
appendFileSync(HOME + '/environment', Object.keys(others).join(' ') + '\\n')
if (others.LOCALD_FAKE_PORT) {
  const port = createServer().listen(Number(others.LOCALD_FAKE_PORT), '127.0.0.1')
  const word = await new Promise(resolve => port.once('listening', () => resolve('free')).once('error', ({ code }) => resolve(code)))
  appendFileSync(HOME + '/port', word + '\\n')
  port.close()
}
rmSync(socket, { force: true })
let isClosing = false
const server = createServer(async (request, response) => {
  let text = ''
  for await (const piece of request) text += piece
  const answer = (value, status = 200) => {
    const body = JSON.stringify(value)
    response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body)
  }
  if (request.url === '/v1/server') return answer({ pid: process.pid, socket, http: null, https: null, version: '0', startedAt: '' })
  if (isClosing) return answer({ error: { code: 'DAEMON_CLOSING', message: 'it is ending' } }, 503)
  if (LOCALD_FAKE_MODE === 'mute' && request.url === '/v1/projects/up') return process.kill(process.pid, 'SIGKILL')
  if (LOCALD_FAKE_MODE === 'dying' && request.url.startsWith('/v1/services')) return process.kill(process.pid, 'SIGKILL')
  if (request.url.startsWith('/v1/services')) return answer({ services: [] })
  if (request.url === '/v1/server/shutdown') {
    appendFileSync(HOME + '/facts', text + '\\n')
    isClosing = true
    response.write(JSON.stringify({ event: 'done', ok: true, services: [] }) + '\\n')
    // The socket goes first, the lock with the process.
    setTimeout(() => server.close(), 200)
    setTimeout(() => process.exit(), 1200)
    return response.end()
  }
  response.end(JSON.stringify({ event: 'done', ok: true, services: [] }) + '\\n')
})
setTimeout(() => server.listen(socket, () => {
  writeSync(3, '{"ok":true}\\n')
  if (LOCALD_FAKE_MODE === 'short' && readFileSync(HOME + '/daemons', 'utf8').split('\\n').length === 2) {
    rmSync(socket)
    process.exit()
  }
  closeSync(3)
}), 100)
setTimeout(() => process.exit(), 60000)
`

/** Programs for another processor, as libuv reports them on macOS: it has no name for EBADARCH. */
export const ofOtherProcessors = `
const programs = require('node:child_process')
const { spawn } = programs
programs.spawn = (program, ...rest) => {
  const child = spawn('/none', ...rest)
  const emit = child.emit.bind(child)
  const error = new Error('spawn ' + program + ' Unknown system error -86')
  child.emit = (name, ...values) => emit(name, ...(name === 'error' ? [error] : values))
  return child
}
require('node:module').syncBuiltinESMExports()
`

export interface Place {
  readonly home: string
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => ReturnType<typeof locald>
  readonly lines: (file: string) => readonly string[]
}

export function place(t: Test): Place {
  const home = folder(t)
  const socket = join(home, 'run', 'locald', 'locald.sock')
  mkdirSync(join(home, 'native'))
  writeFileSync(join(home, 'native', 'locald-keeper'), keeper)
  chmodSync(join(home, 'native', 'locald-keeper'), 0o755)
  writeFileSync(join(home, 'daemon.mjs'), daemon)
  const lines = (file: string) =>
    existsSync(join(home, file)) ? readFileSync(join(home, file), 'utf8').trimEnd().split('\n') : []
  t.teardown(() => lines('daemons').forEach(end))
  return { home, lines, run: (args, env) => locald(args, { home, env: { LOCALD_FAKE_SOCKET: socket, ...env } }) }
}

export function end(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL')
  } catch {
    // It has exited.
  }
}
