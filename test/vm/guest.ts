/**
 * What `npm run test:vm` checks inside the guest, as root and by the ordinary user `dev`: once, and again after a
 * reboot. Prints `ok - …` and `not ok - …` lines, then `end`. Over 300 lines: nothing of the repository but this one
 * file is there.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type ClientRequest, request } from 'node:http'
import { request as requestSecurely } from 'node:https'
import { dirname, join } from 'node:path'

interface View {
  readonly name: string
  readonly status: string
  readonly health: string | null
  readonly pid: number | null
  readonly cpu: number | null
  readonly memory: number | null
}

interface Server {
  readonly pid: number
  readonly http: number
  readonly https: number
}

interface Doctor {
  readonly checks: readonly {
    readonly id: string
    readonly severity: string
    readonly status: string
    readonly summary: string
  }[]
}

const tools = process.argv[2] ?? ''
const home = '/home/dev'
const shop = join(home, 'shop')
const unit = join(home, '.config/systemd/user/locald.service')
const manager = '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service'
const stopMarker = join(home, 'stopped')
/** Its own session, no environment, no mark: only the cgroup still knows of it. */
const escapee = 'locald-escapee'
const escapeScript = `use POSIX; fork and exit; setsid; fork and exit; %ENV = (); exec { "/bin/sleep" } "${escapee}", 100001`
/** On this machine everything takes ten times as long as on a real one. */
const limitMs = 120_000

const files = {
  'locald.toml': `
    [project]
    name = "shop"
    [services.web]
    command = "exec mynode web.mjs"
    restart = "no"
    [services.job]
    type = "worker"
    command = "prlimit --rttime=7654321 perl escape.pl; exec sleep 100002"
    restart = "no"
  `,
  // 100 MB that are in no process, but in the cgroup's account.
  'web.mjs': `
    import { createServer } from 'node:http'
    import { writeFileSync } from 'node:fs'
    writeFileSync('/dev/shm/shop', Buffer.alloc(100 * 1024 * 1024))
    createServer((_, answer) => answer.end('from the guest')).listen(Number(process.env.PORT), '127.0.0.1')
    process.on('SIGTERM', () => {
      writeFileSync('${stopMarker}', 'by SIGTERM')
      process.exit()
    })
  `,
  'escape.pl': escapeScript,
}

/**
 * Runs a command line as the user, in a session of its own; its output. Throws, with all it said, unless it ends with
 * 0.
 */
function dev(line: string, folder = shop): string {
  return run('su', ['-l', 'dev', '-c', `cd '${folder}' && ${line}`])
}

function run(program: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const ran = spawnSync(program, words, { encoding: 'utf8', env, timeout: limitMs, cwd: '/' })
  if (ran.status === 0) return ran.stdout.trim()
  throw new Error(`${program} ${words.join(' ')}: ${ran.status ?? ran.signal}\n${ran.stdout}${ran.stderr}`)
}

async function check(name: string, test: () => unknown): Promise<void> {
  try {
    await test()
    console.log(`ok - ${name}`)
  } catch (error) {
    console.log(`not ok - ${name}`)
    const daemonLog = join(home, '.local/share/locald/daemon.log')
    const log = spawnSync('tail', ['-n', '10', daemonLog], { encoding: 'utf8' })
    const journal = spawnSync('journalctl', ['-n', '40', '--no-pager', '_UID=1000'], { encoding: 'utf8' })
    for (const text of [String(error instanceof Error ? error.stack : error), log.stdout, journal.stdout])
      console.log(text.replace(/^/gm, '#   '))
  }
}

/** Waits until a look finds something; throws what the last look threw. */
async function until<T>(look: () => T | Promise<T>): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 250))
    }
  }
}

/** What the daemon answers, without the CLI: a start of Node takes seconds here. */
async function ask<T>(path: string): Promise<T> {
  const value: T = JSON.parse(
    await answerOf(request({ socketPath: '/run/user/1000/locald/locald.sock', path, agent: false })),
  )
  return value
}

const server = () => ask<Server>('/v1/server')
const doctor = () => ask<Doctor>('/v1/doctor')

/** The pid that systemd has of the daemon. */
const mainPid = () => Number(dev('systemctl --user show -P MainPID locald'))

async function view(name: string): Promise<View & { readonly pid: number }> {
  const { services } = await ask<{ services: readonly View[] }>(`/v1/services?path=${shop}`)
  const found = services.find(each => each.name === name)
  if (found === undefined || found.pid === null) throw new Error(`${name} does not run: ${JSON.stringify(found)}`)
  return { ...found, pid: found.pid }
}

/** The folder of a process's cgroup. */
function cgroupOf(pid: number): string {
  const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1]
  return `/sys/fs/cgroup${path}`
}

function memoryIn(cgroup: string): number {
  const idle = /^inactive_file (\d+)$/m.exec(readFileSync(join(cgroup, 'memory.stat'), 'utf8'))?.[1]
  return Number(readFileSync(join(cgroup, 'memory.current'), 'utf8')) - Number(idle)
}

/** Pids of processes whose first word is this. */
function running(word: string): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] === word
      } catch {
        return false
      }
    })
}

/** The pid of what has left its session, once it has. */
function escapeeOf(): Promise<number> {
  return until(() => {
    const [pid] = running(escapee)
    assert.ok(pid)
    return pid
  })
}

/** Services' cgroups that are there. */
function leaves(): readonly string[] {
  return readdirSync(manager, { recursive: true, encoding: 'utf8' }).filter(path => /\/s-[^/]*$/.test(path))
}

/** What the project's page says, at a port of the proxy. */
function get(port: number): Promise<string> {
  return answerOf(request({ host: '127.0.0.1', port, headers: { host: 'shop.localhost' } }))
}

function getSecurely(port: number): Promise<string> {
  const ca = readFileSync(join(home, '.local/share/locald/ca/root.pem'))
  const host = 'shop.localhost'
  return answerOf(requestSecurely({ host: '127.0.0.1', port, headers: { host }, ca, servername: host }))
}

function answerOf(asked: ClientRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    asked.on('response', answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      answer.on('end', () => resolve(text))
    })
    asked.on('error', reject).end()
  })
}

/** Each service has a cgroup of its own, which status counts by. */
async function checkCgroups(): Promise<void> {
  const [web, job] = [await view('web'), await view('job')]
  const [of, other] = [cgroupOf(web.pid), cgroupOf(job.pid)]
  console.log(`# web ${web.pid}: ${of}`)
  assert.match(of, /\/s-[^/]+$/)
  assert.notEqual(of, other)
  const escaped = await escapeeOf()
  assert.equal(cgroupOf(escaped), other, 'what a service starts is in its cgroup')
  assert.equal(readFileSync(`/proc/${escaped}/environ`, 'utf8'), '')
  assert.match(readFileSync(join(of, 'cgroup.controllers'), 'utf8'), /cpu.*memory.*pids/)
  const counted = memoryIn(of)
  assert.ok(web.memory !== null && web.memory > 100 * 1024 * 1024, `${web.memory} bytes with what is in no process`)
  assert.ok(Math.abs(web.memory - counted) < 0.2 * counted, `status: ${web.memory}, cgroup: ${counted}`)
  assert.notEqual(web.cpu, null)
}

function prepare(): void {
  symlinkSync(join(tools, 'node'), '/usr/local/bin/node')
  symlinkSync(join(tools, 'node_modules/locald/dist/cli/main.cjs'), '/usr/local/bin/locald')
  const own = join(home, 'own bin')
  for (const folder of [shop, own]) mkdirSync(folder)
  symlinkSync(join(tools, 'node'), join(own, 'mynode'))
  writeFileSync(
    join(home, '.profile'),
    `PATH="$PATH:${own}" LOCALD_START_TIMEOUT=${limitMs / 1000}\nexport LOCALD_START_TIMEOUT\n`,
  )
  for (const [name, text] of Object.entries(files)) writeFileSync(join(shop, name), text)
  run('chown', ['-R', 'dev:dev', home])
}

async function scope(): Promise<void> {
  await check('in a plain session services run, and doctor reports how to get cgroups', async () => {
    dev('locald up')
    assert.equal(await get((await server()).http), 'from the guest')
    const cgroups = (await doctor()).checks.find(({ id }) => id === 'cgroups')
    assert.equal(cgroups?.status, 'warn')
    dev('locald stop')
    assert.deepEqual(running(escapee), [])
    dev('locald server shutdown')
  })
  await check('in a scope with Delegate=yes each service has its cgroup, and status uses it', async () => {
    dev('systemd-run --user --scope --quiet -p Delegate=yes locald up')
    await checkCgroups()
  })
  await check('stop kills by cgroup what has another session, no environment and no mark', async () => {
    assert.equal(running(escapee).length, 1)
    dev('locald stop')
    assert.deepEqual(running(escapee), [])
    await until(() => assert.deepEqual(leaves(), []))
  })
  await check('stop kills by cgroup also when the keeper was killed', async () => {
    dev('locald up job')
    const escaped = await escapeeOf()
    const keeper = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${escaped}/status`, 'utf8'))?.[1])
    process.kill(keeper, 'SIGKILL')
    await until(() => assert.deepEqual(running(escapee), []))
    await until(() => assert.deepEqual(leaves(), []))
    dev('locald server shutdown')
  })
}

async function install(): Promise<void> {
  await check('server install starts the daemon through systemd, in a delegated cgroup', async () => {
    const ran = spawnSync('su', ['-l', 'dev', '-c', 'locald server install'], { encoding: 'utf8', cwd: '/' })
    console.log(`# ${ran.stdout.trim()} | ${ran.stderr.trim()}`)
    assert.equal(ran.status, 0, ran.stderr)
    assert.match(ran.stderr, /loginctl enable-linger/)
    console.log(readFileSync(unit, 'utf8').replace(/^/gm, '#   '))
    assert.equal(dev('systemd-analyze verify --user ~/.config/systemd/user/locald.service 2>&1'), '')
    const main = mainPid()
    assert.equal((await server()).pid, main)
    assert.equal(readlinkSync(`/proc/${main}/exe`), join(tools, 'node'))
    assert.match(cgroupOf(main), /\.scope$/)
    assert.match(readFileSync(`/proc/${main}/environ`, 'utf8'), /(?:^|\0)PATH=[^\0]*own bin/)
  })
  await check('the last logout stops the services in order, and the next login starts the daemon', async () => {
    dev('locald up web')
    await until(() => assert.equal(readFileSync(stopMarker, 'utf8'), 'by SIGTERM'))
    await until(() => assert.ok(!existsSync('/run/user/1000')))
    await until(() => dev('locald ping'))
    assert.equal((await server()).pid, mainPid())
  })
  run('loginctl', ['enable-linger', 'dev'])
  await check('services have cgroups, and a pinned project is listed', async () => {
    dev('locald up')
    await checkCgroups()
    assert.equal(await get((await server()).http), 'from the guest')
    dev('locald registry pin')
    assert.match(dev('locald registry list'), /^shop +yes /m)
  })
  await check('a killed daemon restarts and adopts its services with their cgroups', async () => {
    const [daemon, web] = [(await server()).pid, await view('web')]
    process.kill(daemon, 'SIGKILL')
    await until(() => assert.notEqual(mainPid(), daemon))
    await until(() => assert.equal(dev('systemctl --user is-active locald'), 'active'))
    await until(async () => assert.equal((await view('web')).pid, web.pid))
    await checkCgroups()
  })
  for (const step of ['+1 day', '-2 days', '+1 day'])
    await check(`the next daemon adopts services after the clock was set (${step})`, async () => {
      const [daemon, web, job] = [(await server()).pid, await view('web'), await view('job')]
      run('date', ['--set', step])
      process.kill(daemon, 'SIGKILL')
      await until(() => assert.notEqual(mainPid(), daemon))
      await until(async () => assert.deepEqual([(await view('web')).pid, (await view('job')).pid], [web.pid, job.pid]))
      await checkCgroups()
      assert.equal(await get((await server()).http), 'from the guest')
    })
  await check('server restart leaves services running, and the daemon with systemd', async () => {
    const [daemon, web] = [(await server()).pid, await view('web')]
    dev('locald server restart')
    assert.notEqual((await server()).pid, daemon)
    assert.equal((await server()).pid, mainPid())
    assert.equal((await view('web')).pid, web.pid)
    await checkCgroups()
  })
  await check('server shutdown exits with success, and the next command starts the unit', async () => {
    dev('locald server shutdown')
    await until(() => assert.deepEqual(leaves(), []))
    await until(() => assert.equal(dev('systemctl --user is-active locald || true'), 'inactive'))
    dev('locald up')
    assert.equal((await server()).pid, mainPid())
  })
  await check('a second server install changes nothing', async () => {
    const [before, web] = [readFileSync(unit, 'utf8'), await view('web')]
    dev('locald server install')
    assert.equal(readFileSync(unit, 'utf8'), before)
    assert.equal((await view('web')).pid, web.pid)
    assert.equal((await server()).pid, mainPid())
  })
  await check('a unit that starts beside another daemon leaves it alone', async () => {
    dev('systemctl --user stop locald')
    dev('mv ~/.local/share/locald/boot.json ~/boot.json; locald up')
    const { pid } = await server()
    dev('systemctl --user start locald')
    await until(() => assert.equal(dev('systemctl --user is-active locald || true'), 'inactive'))
    assert.equal(dev('systemctl --user show -P Result locald'), 'success')
    assert.equal((await server()).pid, pid)
    assert.equal((await view('web')).status, 'running')
    dev('locald server shutdown; mv ~/boot.json ~/.local/share/locald/boot.json; locald up')
  })
  await check('doctor has no critical failure, and reports the delegation', async () => {
    const { checks } = await doctor()
    assert.deepEqual(
      checks.filter(each => each.severity === 'critical' && each.status === 'fail'),
      [],
    )
    for (const id of ['cgroups', 'boot-service', 'pinned-projects']) {
      const found = checks.find(each => each.id === id)
      assert.equal(found?.status, 'pass', JSON.stringify(found))
    }
  })
}

async function afterReboot(): Promise<void> {
  await check('services were stopped in order before the reboot', async () => {
    assert.equal(readFileSync(stopMarker, 'utf8'), 'by SIGTERM')
  })
  await check('after a reboot with linger the pinned project answers without a login', async () => {
    await until(async () => assert.equal(await get(8080), 'from the guest'))
    assert.equal(run('loginctl', ['list-sessions', '--no-legend']), '')
  })
  await check('services have cgroups again', async () => {
    await until(checkCgroups)
    assert.equal((await server()).pid, mainPid())
  })
  await check('admin setup provides ports 80 and 443 and hostnames', async () => {
    run('locald', ['admin', 'setup'], { ...process.env, SUDO_UID: '1000' })
    dev('locald server restart')
    const { http, https } = await server()
    assert.deepEqual([http, https], [80, 443])
    assert.equal(await get(80), 'from the guest')
    assert.equal(await getSecurely(443), 'from the guest')
    await until(() => assert.match(readFileSync('/etc/hosts', 'utf8'), /shop\.localhost/))
    await checkCgroups()
  })
  await check('admin uninstall leaves nothing', async () => {
    run('locald', ['admin', 'uninstall'])
    assert.equal(readFileSync('/etc/hosts', 'utf8'), '127.0.0.1 localhost guest\n::1 localhost\n')
    for (const path of ['/etc/locald', '/usr/local/libexec/locald', '/sys/fs/cgroup/locald.slice'])
      assert.ok(!existsSync(path), path)
  })
  await check('server uninstall removes everything but the running services', async () => {
    const web = await view('web')
    dev('locald server uninstall')
    assert.equal((await view('web')).pid, web.pid)
    assert.deepEqual(
      readdirSync(dirname(unit), { recursive: true, encoding: 'utf8' }).filter(name => /locald/.test(name)),
      [],
    )
    assert.ok(!existsSync(join(home, '.local/share/locald/boot.json')))
    assert.equal(dev('systemctl --user list-unit-files --no-legend "locald*" || true'), '')
    dev('locald stop')
    dev('locald server shutdown')
    await until(() => assert.deepEqual(leaves(), []))
    await until(() => assert.equal(dev('systemctl --user list-units --all --no-legend "run-*.scope" "locald*"'), ''))
  })
}

const marker = '/var/lib/rebooted'
const isFirst = !existsSync(marker)
if (isFirst) {
  prepare()
  await scope()
  rmSync(stopMarker, { force: true })
  await install()
  rmSync(stopMarker, { force: true })
  writeFileSync(marker, '')
  run('systemctl', ['reboot'])
} else {
  await afterReboot()
  console.log('end')
  run('systemctl', ['poweroff'])
}
