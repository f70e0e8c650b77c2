import { access, chown, constants } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Instance, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { sweepBranches } from './cluster/branches.ts'
import type { Shared } from './cluster/context.ts'
import { Maker } from './cluster/prepare.ts'
import { databaseFolders, provision, removeOrphans } from './cluster/provision.ts'
import { readRecord, writeRecord } from './cluster/record.ts'
import { isOfDisk, makeSocketFolder, type Places, passwordOf, placesOf, unusable } from './files/paths.ts'
import { options, type PostgresOptions } from './options.ts'
import { maintenance, sqlState, superuser, type Target } from './server/client.ts'
import { serverArgv, serverEnv, writeSettings } from './server/command-line.ts'
import { diagnoseEnd, linesSince } from './server/diagnosis.ts'
import { PostgresInstance } from './server/instance.ts'
import { answers } from './server/setup-server.ts'
import { rememberServer } from './server/tracking.ts'

type PostgresRun = Run<PostgresOptions>

/** What can go wrong goes wrong by then, on a busy machine too; what takes longer (recovery) is watched as a start: ms. */
const earlyMs = 10_000
const earlyPauseMs = 5
/** Of a start that takes longer than most. */
const laterMs = 500
const laterPauseMs = 50

/** Runs `type = "postgres"` services. */
export class PostgresDriver implements ServiceType<PostgresOptions> {
  readonly type = 'postgres'
  readonly network = 'port'
  readonly shape = options
  readonly #shared: Shared
  readonly #maker: Maker
  /** Data folders that were prepared, and in which nothing was started since. */
  readonly #prepared = new Set<string>()

  constructor(shared: Shared) {
    this.#shared = shared
    this.#maker = new Maker(shared)
  }

  prepare(run: PostgresRun): Promise<void> {
    return this.#alone(run, async () => {
      await this.#maker.prepare(run)
      this.#prepared.add(run.data)
    })
  }

  start(run: PostgresRun): Promise<Instance> {
    return this.#alone(run, async () => {
      const places = this.#places(run)
      const account = await this.#shared.account()
      const installation = await this.#maker.installation(run, places)
      // After a crash this is all that comes before the next start.
      if (!this.#prepared.delete(run.data)) await this.#shared.tidy(places)
      await access(places.cluster, constants.W_OK)
      await writeSettings(places.cluster, installation, run.options.settings)
      await makeSocketFolder(places)
      if (account.owner !== undefined) await chown(places.socket, account.owner.uid, account.owner.gid)
      const port = portOf(run)
      const before = await databaseFolders(places.cluster)
      const held = await this.#shared.processes().spawn({
        key: run.key,
        argv: serverArgv({ key: run.key, installation, account, cluster: places.cluster, places }, port),
        dir: '/',
        env: serverEnv(),
        tty: false,
        log: run.log,
        port,
        stopSignal: 'SIGINT',
        stopTimeout: run.stopTimeout,
        stopsChildren: true,
      })
      const instance = this.#instance(run, held, before)
      await this.#begin(run, places, instance)
      return instance
    })
  }

  async adopt(run: PostgresRun, state: unknown): Promise<Instance | undefined> {
    const held = await this.#shared.processes().adopt(state, run.log)
    if (held === undefined) return undefined
    // An earlier daemon may have ended in the middle of a snapshot or a branch. The server does not wait for that.
    const places = this.#places(run)
    const swept = [this.#alone(run, () => this.#shared.snapshots.sweep(places)), this.#sweepBranches(run, places)]
    Promise.all(swept).catch(error =>
      run.log.write('locald', `what an interrupted copy left is still there: ${messageOf(error)}`),
    )
    return this.#instance(run, held, [])
  }

  /** Takes the cluster in use away, and nothing else: it becomes a snapshot; the password stays. */
  reset(run: PostgresRun): Promise<void> {
    return this.#alone(run, async () => {
      const places = this.#places(run)
      // A swap that was interrupted is ended first: the cluster it brings would be found at the next start.
      await this.#shared.tidy(places)
      await this.#shared.snapshots.putAside(places)
    })
  }

  exports(run: PostgresRun): Record<string, string> {
    const { host, port, user, password, database } = this.#target(run)
    const name = encodeURIComponent(database)
    return {
      url: `postgresql://${user}:${password}@${host}:${port}/${name}`,
      user,
      password,
      database,
      socket: this.#places(run).socket,
    }
  }

  /** Does something to the service's data while nobody else does. What the disk has against it is told with a hint. */
  #alone<T>({ data }: PostgresRun, work: () => Promise<T>): Promise<T> {
    return this.#shared.locks.run(data, work).catch(error => {
      throw isOfDisk(error) ? unusable(data, error) : error
    })
  }

  #places(run: PostgresRun): Places {
    return placesOf(run.data, this.#shared.folders.sockets)
  }

  #target(run: PostgresRun): Target {
    const [database = maintenance] = run.options.databases
    const password = passwordOf(this.#places(run))
    return { host: '127.0.0.1', port: portOf(run), user: superuser, password, database }
  }

  /** `before`: the folders of databases that its server has found. */
  #instance(run: PostgresRun, held: Instance, before: readonly string[]): PostgresInstance {
    let provisioned = false
    return new PostgresInstance(held, async () => {
      // The service's own databases may have to be made first, and who uses them may want to drop or copy them.
      const target = { ...this.#target(run), database: maintenance }
      if (!(await answers(target, this.#places(run).cluster))) return false
      if (!provisioned) {
        await sweepBranches(target)
        await provision(target, run.options)
        await removeOrphans(target, this.#places(run).cluster, before)
      }
      provisioned = true
      return true
    })
  }

  /** Of a server that was ready nobody asks again whether it is; one that is not yet is swept when it is. */
  async #sweepBranches(run: PostgresRun, { cluster }: Places): Promise<void> {
    const target = { ...this.#target(run), database: maintenance }
    if (await answers(target, cluster)) await sweepBranches(target)
  }

  /** Waits a moment for a new server: what ends at once is told as the failure of the start, with its reason. */
  async #begin(run: PostgresRun, places: Places, instance: PostgresInstance): Promise<void> {
    let ended = false
    void instance.exited.then(() => {
      ended = true
    })
    try {
      await rememberServer(places, instance.pid, this.#shared.table())
      const began = performance.now()
      for (let waited = 0; !ended && waited < earlyMs; waited = performance.now() - began) {
        run.signal.throwIfAborted()
        if (await instance.probe()) return
        await setTimeout(waited < laterMs ? earlyPauseMs : laterPauseMs)
      }
    } catch (error) {
      await instance.stop({ graceMs: run.stopTimeout })
      if (sqlState(error) !== '28P01') throw error
      writeRecord(places.cluster, { ...(await readRecord(places.cluster)), password: '' })
      throw new LocaldError('SERVICE_FAILED', `the password of role ${superuser} is not the one locald gave it`, {
        service: run.key,
        hint: 'Start it again: locald then sets the password anew.',
        cause: error,
      })
    }
    if (ended) throw await diagnoseEnd(run.name, places.cluster, await linesSince(run.log, instance.startedMs))
  }
}

function portOf(run: PostgresRun): number {
  if (run.port !== undefined) return run.port
  throw new LocaldError('INTERNAL', `${run.key} has no port`, { service: run.key })
}
