/**
 * Lima's host agent: writes events to stdout and messages to stderr, holds the driver, and forwards ports. From
 * pkg/hostagent/hostagent.go, pkg/hostagent/events/events.go and pkg/portfwd of github.com/lima-vm/lima.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dirOf, hasFault, kill, log, pause } from './state.ts'

const dir = dirOf(process.argv[2] ?? '')
const ports = join(dir, 'guest', 'ports')
const listeners = new Map<number, Server>()
const base = { sshLocalPort: 60022 }
let status: object = base

function emit(changes: object): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), status: { ...status, ...changes } })}\n`)
}

/** pkg/portfwd/forward.go announces, then listens; listener.go logs a failure to listen, and emits nothing. */
function forward(port: number): void {
  const addresses = { protocol: 'tcp', guestAddr: `127.0.0.1:${port}`, hostAddr: `127.0.0.1:${port}` }
  emit({ portForward: { type: 'forwarding', ...addresses } })
  const server = createServer({ allowHalfOpen: true }, socket => {
    const inside = connect({ path: join(ports, `${port}`), allowHalfOpen: true })
    for (const each of [socket, inside]) each.on('error', () => {})
    socket.pipe(inside).pipe(socket)
  })
  const fail = (error: string) => log('warning', `failed to listen tcp: 127.0.0.1:${port}`, error)
  listeners.set(port, server)
  server.on('error', error =>
    fail(
      `listen tcp 127.0.0.1:${port}: bind: ${error.message.includes('EADDRINUSE') ? 'address already in use' : error.message}`,
    ),
  )
  if (hasFault('port-failed')) fail(`listen tcp 127.0.0.1:${port}: bind: address already in use`)
  else server.listen(port, '127.0.0.1')
}

function unforward(port: number): void {
  emit({
    portForward: { type: 'stopping', protocol: 'tcp', guestAddr: `127.0.0.1:${port}`, hostAddr: `127.0.0.1:${port}` },
  })
  listeners.get(port)?.close()
  listeners.delete(port)
}

async function watchPorts(): Promise<never> {
  for (;;) {
    const open = existsSync(ports) ? readdirSync(ports).map(Number) : []
    for (const port of open) if (!listeners.has(port)) forward(port)
    for (const port of listeners.keys()) if (!open.includes(port)) unforward(port)
    await pause(30)
  }
}

mkdirSync(ports, { recursive: true })
for (const port of readdirSync(ports)) rmSync(join(ports, port))
const driver = spawn('sleep', ['3600'], { detached: true, stdio: 'ignore' })
driver.unref()
// pkg/hostagent/hostagent.go: the host agent exits after its driver.
driver.on('exit', () => end(1))
writeFileSync(join(dir, 'qemu.pid'), String(driver.pid))
writeFileSync(join(dir, 'serial.log'), '[    0.000000] Linux version 6.8.0\n')
if (hasFault('broken-orphan')) process.kill(process.pid, 'SIGKILL')
writeFileSync(join(dir, 'ha.pid'), String(process.pid))
process.on('SIGINT', () => {
  log('info', 'Received SIGINT, shutting down the host agent')
  end(0)
})

function end(code: number): never {
  kill(driver.pid, 'SIGKILL')
  status = {}
  emit({ exiting: true })
  const guest = fileURLToPath(new URL('guest.js', import.meta.url))
  spawnSync(process.execPath, [guest, 'halt'], { env: { ...process.env, FAKE_GUEST: join(dir, 'guest') } })
  for (const file of ['ha.pid', 'qemu.pid']) rmSync(join(dir, file), { force: true })
  process.exit(code)
}

emit({})
log('info', 'Waiting for the essential requirement 1 of 2: "ssh"')
if (hasFault('timeout')) {
  // It goes on booting: only a stop helps.
  setInterval(() => {}, 1000)
} else {
  await pause(60)
  emit({ cloudInitProgress: { active: true, logLine: 'Cloud-init v. 24.1 running modules:config' } })
  await pause(60)
  status = { ...base, running: true }
  if (hasFault('degraded'))
    status = { ...status, degraded: true, errors: ['failed to satisfy the essential requirement 2 of 2'] }
  if (hasFault('late-agent')) {
    const error = 'guest agent does not seem to be running; port forwards will not work'
    status = { ...status, degraded: true, errors: [error] }
    // It comes after Lima's 60 s, and Lima calls the VM degraded until its next start.
    setTimeout(() => log('info', 'Guest agent is running'), 200)
  }
  emit({})
  await watchPorts()
}
