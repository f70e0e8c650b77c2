/**
 * A stand-in for limactl 2.2: a VM whose processes run on this machine. Its messages and exit codes are those of the
 * files of github.com/lima-vm/lima that the comments name, at v2.2.0-153-g183a60d7.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dirOf, fatal, guestVariables, hasFault, home, kill, log, pause, readPid, recordCall } from './state.ts'

const here = dirname(fileURLToPath(import.meta.url))
const version = () => (hasFault('old') ? '1.2.1' : '2.2.0')

interface Instance {
  readonly name: string
  readonly dir: string
  readonly status: string
  readonly errors: readonly string[]
  readonly agent: number | undefined
  readonly driver: number | undefined
}

/** pkg/store/instance.go: Inspect, inspectStatusWithPIDFiles; cmd/limactl/list.go: brokenInstance. */
function inspect(name: string): Instance | undefined {
  const dir = dirOf(name)
  if (!existsSync(dir)) return undefined
  const blank = { name, dir, agent: undefined, driver: undefined }
  if (!existsSync(join(dir, 'lima.yaml'))) {
    return { ...blank, status: 'Broken', errors: [`stat ${dir}/lima.yaml: no such file or directory`] }
  }
  const agent = readPid(join(dir, 'ha.pid'))
  const driver = readPid(join(dir, 'qemu.pid'))
  const found = { ...blank, agent, driver }
  if (agent !== undefined && driver !== undefined) return { ...found, status: 'Running', errors: [] }
  if (agent === undefined && driver === undefined) return { ...found, status: 'Stopped', errors: [] }
  const cause =
    agent === undefined ? 'qemu driver is running but host agent is not' : 'host agent is running but driver is not'
  return { ...found, status: 'Broken', errors: [cause] }
}

/** cmd/limactl/list.go: one JSON object a line; without an instance a warning, nothing on stdout, and 0. */
async function list(): Promise<void> {
  if (hasFault('hang-list')) await pause(600_000)
  const names = existsSync(home)
    ? readdirSync(home).filter(name => !/^[._]/.test(name) && statSync(dirOf(name)).isDirectory())
    : []
  if (names.length === 0) return log('warning', 'No instance found. Run `limactl create` to create an instance.')
  for (const name of names) {
    const instance = inspect(name)
    if (instance === undefined) continue
    const { dir, status, errors, agent, driver } = instance
    const config = existsSync(join(dir, 'lima.yaml')) ? { config: { vmType: 'qemu' }, limaVersion: version() } : {}
    const pids = { ...(agent && { hostAgentPID: agent }), ...(driver && { driverPID: driver }) }
    const line = {
      name,
      hostname: `lima-${name}`,
      status,
      dir,
      vmType: 'qemu',
      arch: 'x86_64',
      protected: false,
      ...pids,
    }
    // Errors of Go have no JSON: the list is empty, and the cause is on stderr, of the text format alone.
    console.log(JSON.stringify({ ...line, ...(errors.length > 0 && { errors: [] }), ...config }))
    if (errors.length === 0) continue
    const message = `instance \`${name}\` has errors`
    if (process.argv.includes('json'))
      console.error(JSON.stringify({ errors: errors.map(() => ({})), level: 'warning', msg: message }))
    else
      console.error(`time="${new Date().toISOString()}" level=warning msg="${message}" errors="[${errors.join(' ')}]"`)
  }
}

/** cmd/limactl/start.go: createAction, loadOrCreateInstance; pkg/instance/create.go. */
async function create(words: readonly string[]): Promise<void> {
  const name = words.find(word => word.startsWith('--name='))?.slice('--name='.length)
  if (name === undefined) fatal('must pass instance name with --name when reading template from stdin')
  const dir = dirOf(name)
  if (existsSync(dir)) fatal(`instance \`${name}\` already exists`)
  log('info', 'Terminal is not available, proceeding without opening an editor')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeFileSync(join(dir, 'lima.yaml'), readFileSync(0, 'utf8'))
  log('info', 'Attempting to download the image')
  // pkg/instance/start.go: Prepare fails after Create has succeeded, so that the instance stays.
  if (hasFault('download'))
    fatal(
      'failed to download "https://cloud-images.example/noble.img": dial tcp: lookup cloud-images.example: no such host',
    )
  await pause(50)
  writeFileSync(join(dir, 'disk'), '')
  log('info', `Run \`limactl start ${name}\` to start the instance.`)
}

/** cmd/limactl/start.go: startAction; pkg/instance/start.go: StartWithPaths, watchHostAgentEvents. */
async function start(words: readonly string[]): Promise<void> {
  const name = words.at(-1) ?? ''
  const instance = inspect(name)
  if (instance === undefined) fatal(`open ${dirOf(name)}/lima.yaml: no such file or directory`)
  if (instance.errors.length > 0) fatal(`errors inspecting instance: [${instance.errors.join(' ')}]`)
  if (instance.status === 'Running')
    return log('info', `The instance \`${name}\` is already running. Run \`limactl shell ${name}\` to open the shell.`)
  const expression = words[words.indexOf('--set') + 1]
  if (words.includes('--set') && expression !== undefined) writeFileSync(join(instance.dir, '_set'), expression)
  log('info', `Starting the instance \`${name}\` with internal VM driver \`qemu\``)
  if (hasFault('hang')) await pause(600_000)
  const timeout = Number(/^--timeout=(\d+)s$/.exec(words.find(word => word.startsWith('--timeout=')) ?? '')?.[1] ?? 600)
  for (const file of ['ha.stdout.log', 'ha.stderr.log']) rmSync(join(instance.dir, file), { force: true })
  const [out, err] = ['ha.stdout.log', 'ha.stderr.log'].map(file => openSync(join(instance.dir, file), 'w'))
  const agent = spawn(process.execPath, [join(here, 'host-agent.js'), name], {
    detached: true,
    stdio: ['ignore', out ?? 'ignore', err ?? 'ignore'],
  })
  agent.unref()
  await watch(instance.dir, name, timeout)
}

async function watch(dir: string, name: string, timeout: number): Promise<void> {
  const end = Date.now() + timeout * 1000
  while (Date.now() < end) {
    await pause(20)
    const events = readFileSync(join(dir, 'ha.stdout.log'), 'utf8').split('\n').filter(Boolean)
    const last: { status: { running?: boolean; degraded?: boolean; exiting?: boolean; errors?: string[] } } =
      JSON.parse(events.at(-1) ?? '{"status":{}}')
    if (last.status.exiting)
      fatal(
        `exiting, status={Running:false Degraded:false Exiting:true Errors:[] SSHLocalPort:0} (hint: see "${dir}/ha.stderr.log")`,
      )
    if (last.status.degraded) {
      log(
        'warning',
        `DEGRADED. The VM seems running, but file sharing and port forwarding may not work. (hint: see "${dir}/ha.stderr.log")`,
      )
      fatal(
        `degraded, status={Running:true Degraded:true Exiting:false Errors:[${last.status.errors?.join(' ')}] SSHLocalPort:60022}`,
      )
    }
    if (last.status.running) return log('info', `READY. Run \`limactl shell ${name}\` to open the shell.`)
    if (
      hasFault('broken-orphan') &&
      readPid(join(dir, 'qemu.pid')) !== undefined &&
      readPid(join(dir, 'ha.pid')) === undefined
    )
      fatal('host agent process has exited: signal: killed')
  }
  fatal('did not receive an event with the `running` status')
}

/** cmd/limactl/stop.go; pkg/instance/stop.go: StopGracefully, StopForcibly. */
async function stop(words: readonly string[]): Promise<void> {
  const name = words.at(-1) ?? ''
  const instance = inspect(name)
  if (instance === undefined) fatal(`open ${dirOf(name)}/lima.yaml: no such file or directory`)
  if (words.includes('--force')) return stopForcibly(instance)
  if (instance.status !== 'Running') {
    fatal(`expected status \`Running\`, got \`${instance.status}\` (maybe use \`limactl stop -f\`?)`)
  }
  kill(instance.agent, 'SIGINT')
  // A test may have removed its folder meanwhile.
  for (let now = inspect(name); now !== undefined && now.status !== 'Stopped'; now = inspect(name)) await pause(20)
  log('info', `The instance ${name} has shut down`)
}

function stopForcibly({ dir, agent, driver }: Instance): void {
  kill(driver, 'SIGKILL')
  kill(agent, 'SIGKILL')
  for (const file of readdirSync(dir)) if (/\.(?:pid|sock|tmp)$/.test(file)) rmSync(join(dir, file), { force: true })
  spawnSync(process.execPath, [join(here, 'guest.js'), 'halt'], {
    env: { ...process.env, FAKE_GUEST: join(dir, 'guest') },
  })
}

/** cmd/limactl/delete.go; pkg/instance/delete.go. */
function remove(words: readonly string[]): void {
  const instance = inspect(words.at(-1) ?? '')
  if (instance === undefined) {
    log('warning', `Ignoring non-existent instance \`${words.at(-1)}\``)
    return
  }
  if (!existsSync(join(instance.dir, 'lima.yaml')))
    fatal(`instance \`${instance.name}\` directory \`${instance.dir}\` exists but its \`lima.yaml\` could not be read`)
  stopForcibly(instance)
  rmSync(instance.dir, { recursive: true })
}

/**
 * cmd/limactl/shell.go: flags before the name; the words are quoted for the login shell, `cd WORKDIR || exit 1 ; exec
 * "$SHELL" -l -c WORDS`. Nothing of this machine's environment gets in; the exit code is the command's.
 */
function shell(words: readonly string[]): void {
  const at = words.indexOf('locald')
  const instance = inspect(words[at] ?? '')
  if (instance === undefined)
    fatal('instance `locald` does not exist, run `limactl create locald` to create a new instance')
  if (instance.status === 'Stopped')
    fatal('instance `locald` is stopped, run `limactl start locald` to start the instance')
  const guest = join(instance.dir, 'guest')
  const bin = join(guest, 'bin')
  mkdirSync(bin, { recursive: true })
  // Node reads an `--env-file` anywhere in its command line as its own, but after `--`.
  const program = join(bin, 'nerdctl')
  if (!existsSync(program))
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' -- '${join(here, 'guest.js')}' "$@"\n`, {
      mode: 0o755,
    })
  const quoted = words
    .slice(at + 1)
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`))
  const script = quoted.length === 0 ? 'exec sh' : `exec ${quoted.join(' ')}`
  const env = {
    PATH: `${bin}:/usr/local/bin:/usr/bin:/bin`,
    HOME: guest,
    USER: 'lima',
    FAKE_GUEST: guest,
    ...guestVariables(),
  }
  const child = spawn('sh', ['-c', script], { cwd: '/', env, stdio: 'inherit' })
  // As an ssh that has lost its connection.
  process.on('SIGTERM', () => child.kill())
  child.on('exit', code => process.exit(code ?? 255))
}

async function main(argv: readonly string[]): Promise<void> {
  recordCall(argv)
  // cmd/limactl/main.go: cobra's own flag; the template of cobra is "NAME version VERSION".
  if (argv.includes('--version')) return console.log(`limactl version ${version()}`)
  const words = argv.slice(
    argv.findIndex((word, index) => !word.startsWith('--') && argv[index - 1] !== '--log-format'),
  )
  const [verb, ...rest] = words
  if (verb === 'info')
    return console.log(
      JSON.stringify({ version: version(), vmTypes: ['qemu'], hostOS: 'linux', hostArch: 'x86_64', limaHome: home }),
    )
  if (verb === 'list') return await list()
  if (verb === 'create') return await create(rest)
  if (verb === 'start') return await start(rest)
  if (verb === 'stop') return await stop(rest)
  if (verb === 'delete') return remove(rest)
  if (verb === 'shell') return shell(rest)
  fatal(`unknown command "${verb}" for "limactl"`)
}

await main(process.argv.slice(2))
