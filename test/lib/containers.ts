/**
 * A container engine for tests: rootless podman with storage of its own, or any other by
 *   LOCALD_TEST_ENGINE       its name for locald: podman (default), docker, …
 *   LOCALD_TEST_ENGINE_CLI   words of its CLI; default: that name
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { label, Names } from '../../plugins/container/names.ts'
import { type ImageName, imageArchive, imageReference } from './containers-images.ts'
import { onlyLinux } from './machine.ts'
import { type Ran, type Running, until } from './running.ts'
import { type RunOptions, Sandbox, type SandboxOptions, type Test } from './sandbox.ts'
import { changeAccounts, type User } from './user.ts'

/** The engine's name: `podman` unless the tests are run against another. */
export const engineName = process.env['LOCALD_TEST_ENGINE'] || 'podman'
/** Whether the engine is the tests' own: then there is one for each sandbox. */
export const isOwnEngine = engineName === 'podman'

const cli = (process.env['LOCALD_TEST_ENGINE_CLI'] || engineName).split(' ')

/** Why there can be no containers here. */
export const noContainers: string | false = isOwnEngine ? onlyLinux('rootless podman') || missing() : false

/** What `ps` of the engine shows. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly isRunning: boolean
}

/** A sandbox whose daemon finds a container engine, which the test may use, too. All that is made in it is removed. */
export class ContainerSandbox extends Sandbox {
  readonly #loaded = new Set<ImageName>()
  /** A filter for what this sandbox's daemon has made. */
  readonly #own: string

  constructor(t: Test, options: SandboxOptions = {}) {
    super(t, { ...options, env: { ...passed(), ...options.env } })
    this.#own = `label=${label.owner}=${new Names(resolvePaths({ env: this.env }).data).owner}`
    if (isOwnEngine) this.#configure()
    this.atEnd(async () => await this.#remove())
  }

  /** Starts a command of the engine. */
  engine(args: readonly string[], options: RunOptions = {}): Running {
    return this.spawn([...cli, ...args], options)
  }

  /** Runs a command of the engine; what it prints, trimmed. Throws unless it exits with 0. */
  async ask(...args: string[]): Promise<string> {
    const ran: Ran = await this.engine(args).done
    if (ran.code === 0) return ran.stdout.trim()
    throw new Error(`${cli.join(' ')} ${args.join(' ')}: ${ran.code ?? ran.signal}\n${ran.stderr}`)
  }

  /** Gives the engine an image; its reference. */
  async image(name: ImageName): Promise<string> {
    if (!this.#loaded.has(name)) {
      const file = join(this.home, `${name}.tar`)
      copyFileSync(imageArchive(name), file)
      this.own(file)
      await this.ask('load', '-q', '-i', file)
      rmSync(file)
      this.#loaded.add(name)
    }
    return imageReference(name)
  }

  /** Removes an image, under all of its names. */
  async forget(name: ImageName): Promise<void> {
    await this.ask('rmi', '-f', await this.ask('image', 'inspect', '--format', '{{.Id}}', imageReference(name)))
    this.#loaded.delete(name)
  }

  /** Allows a registry on loopback without TLS, as docker does by default. */
  trust(address: string): void {
    const name = join('registries.conf.d', `${address.replace(':', '-')}.conf`)
    this.#writeSetting(name, `[[registry]]\nlocation = "${address}"\ninsecure = true\n`)
  }

  /** All containers of this sandbox's projects, also those that have exited. */
  async containers(): Promise<readonly Container[]> {
    const format = '{{.Names}}\t{{.Image}}\t{{.Status}}'
    return rows(await this.ask('ps', '-a', '--filter', this.#own, '--format', format)).map(
      ([name = '', image = '', status = '']) => ({ name, image, isRunning: status.startsWith('Up') }),
    )
  }

  /** Names of the networks of this sandbox's projects. */
  async networks(): Promise<readonly string[]> {
    return rows(await this.ask('network', 'ls', '--filter', this.#own, '--format', '{{.Name}}')).flat()
  }

  /** Names of volumes; with another engine those of this sandbox's projects only. */
  async volumes(): Promise<readonly string[]> {
    const filter = isOwnEngine ? [] : ['--filter', this.#own]
    return rows(await this.ask('volume', 'ls', ...filter, '--format', '{{.Name}}'))
      .flat()
      .sort()
  }

  /** One container's field: `inspect('web', '{{.State.Pid}}')`. */
  async inspect(container: string, format: string): Promise<string> {
    return await this.ask('inspect', '--type', 'container', '--format', format, container)
  }

  /** Writes what makes podman this sandbox's own: its storage is below XDG_DATA_HOME and XDG_RUNTIME_DIR already. */
  #configure(): void {
    if (this.user !== undefined) needRanges(this.user)
    openDevices()
    const files = {
      'containers.conf': `[containers]
log_driver = "k8s-file"
[network]
network_backend = "netavark"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`,
      'policy.json': '{ "default": [{ "type": "insecureAcceptAnything" }] }\n',
    }
    for (const [name, text] of Object.entries(files)) this.#writeSetting(name, text)
  }

  /** In both folders: some of its libraries do not know XDG_CONFIG_HOME. */
  #writeSetting(name: string, text: string): void {
    const folders = [join(this.home, '.config'), this.env['XDG_CONFIG_HOME']]
    for (const folder of folders) if (folder !== undefined) this.write(join(folder, 'containers', name), text)
  }

  /** Throws, after the removal, when the daemon left containers or networks behind. */
  async #remove(): Promise<void> {
    let left = await this.#left()
    // A killed daemon's are the next one's.
    if (left.length > 0) {
      await this.run(['server', 'start'])
      await this.run(['server', 'shutdown'])
      left = await this.#left()
    }
    if (isOwnEngine) await this.#removePodman()
    else await this.#removeOwned()
    if (left.length > 0) throw new Error(`containers and networks left behind: ${left.join(', ')}`)
  }

  async #left(): Promise<readonly string[]> {
    return [...(await this.containers()).map(({ name }) => name), ...(await this.networks())]
  }

  /** Another engine keeps what is not locald's. */
  async #removeOwned(): Promise<void> {
    const names = (await this.containers()).map(({ name }) => name)
    if (names.length > 0) await this.ask('rm', '-f', '-v', ...names)
    for (const network of await this.networks()) await this.ask('network', 'rm', network)
    for (const volume of await this.volumes()) await this.ask('volume', 'rm', volume)
  }

  async #removePodman(): Promise<void> {
    await this.engine(['rm', '--all', '--force', '--time', '0']).done
    await this.engine(['network', 'prune', '--force']).done
    // Files of other users of the namespace.
    await this.engine(['unshare', 'rm', '-rf', join(this.env['XDG_DATA_HOME'] ?? '', 'containers')]).done
    const stopHelpers = (): boolean => {
      const helpers = this.processes().filter(({ command }) => isHelper.test(command))
      for (const { pid } of helpers) end(pid)
      return helpers.length === 0
    }
    await until('the exit of what podman leaves running', stopHelpers)
  }
}

/** What outlives podman: the process that holds its namespaces, and those of a network. */
const isHelper = /^catatonit -P|slirp4netns |aardvark-dns |^rootlessport/

/** Variables that lead to an engine of the tester's own. */
function passed(): Record<string, string> {
  const names = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'CONTAINER_HOST', 'LIMA_HOME']
  return Object.fromEntries(
    isOwnEngine ? [] : names.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : [])),
  )
}

/** Why rootless podman cannot run, as far as that can be seen from outside. */
function missing(): string | false {
  const programs = ['podman', 'runc', 'conmon', 'catatonit', 'slirp4netns', 'newuidmap', 'iptables', 'busybox']
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
  const absent = programs.filter(program => !folders.some(folder => existsSync(join(folder, program))))
  return absent.length > 0 && `not installed: ${absent.join(', ')}`
}

/** Gives the user ranges of user and group ids, behind all that are given already. */
function needRanges(user: User): void {
  for (const [file, flag] of [
    ['/etc/subuid', '--add-subuids'],
    ['/etc/subgid', '--add-subgids'],
  ] as const) {
    const ranges = existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .map(line => line.split(':'))
      : []
    if (ranges.some(([name]) => name === user.name)) continue
    const first = Math.max(100_000, ...ranges.map(([, from, count]) => Number(from ?? 0) + Number(count ?? 0)))
    changeAccounts('usermod', flag, `${first}-${first + 65_535}`, user.name)
  }
}

/** Makes the devices of networks and file systems where they are missing, and opens them to everyone, as udev does. */
function openDevices(): void {
  if (process.getuid?.() !== 0) return
  for (const [device, minor] of [
    ['/dev/net/tun', '200'],
    ['/dev/fuse', '229'],
  ] as const) {
    mkdirSync(dirname(device), { recursive: true })
    // Another test may make it at the same time; where this is not allowed, podman says what it lacks.
    if (!existsSync(device)) spawnSync('mknod', [device, 'c', '10', minor])
    if (existsSync(device)) chmodSync(device, 0o666)
  }
}

function rows(printed: string): readonly (readonly string[])[] {
  return printed.split('\n').flatMap(line => (line === '' ? [] : [line.split('\t')]))
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has exited already.
  }
}
