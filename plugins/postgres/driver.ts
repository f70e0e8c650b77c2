import { access, chown, constants } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Instance, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { sweepBranches } from './cluster/branches.ts'
import type { PostgresContext } from './cluster/context.ts'
import { ClusterSetup } from './cluster/prepare.ts'
import { databaseFolders, provision, removeOrphans } from './cluster/provision.ts'
import { readRecord, writeRecord } from './cluster/record.ts'
import { diskError, isDiskError, makeSocketFolder, passwordOf, type ServicePaths, servicePaths } from './files/paths.ts'
import { options, type PostgresOptions } from './options.ts'
import { maintenance, sqlStateOf, superuser, type Target } from './server/client.ts'
import { serverArgv, serverEnv, writeSettings } from './server/command-line.ts'
import { diagnoseExit, readLinesSince } from './server/diagnosis.ts'
import { PostgresInstance } from './server/instance.ts'
import { canQuery } from './server/setup-server.ts'
import { recordServer } from './server/tracking.ts'

type PostgresRun = Run<PostgresOptions>

/** What can go wrong goes wrong by then, on a busy machine too; what takes longer (recovery) is watched as a start: ms. */
const startWindowMs = 10_000
const firstPauseMs = 5
/** Of a start that takes longer than most. */
const firstProbesMs = 500
const laterPauseMs = 50

/** Runs `type = "postgres"` services. */
export class PostgresDriver implements ServiceType<PostgresOptions> {
  readonly type = 'postgres'
  readonly network = 'port'
  readonly shape = options
  readonly #context: PostgresContext
  readonly #clusterSetup: ClusterSetup
  /** Data folders that were prepared, and in which nothing was started since. */
  readonly #prepared = new Set<string>()

  constructor(context: PostgresContext) {
    this.#context = context
    this.#clusterSetup = new ClusterSetup(context)
  }

  prepare(run: PostgresRun): Promise<void> {
    return this.#withLock(run, async () => {
      await this.#clusterSetup.prepare(run)
      this.#prepared.add(run.data)
    })
  }

  start(run: PostgresRun): Promise<Instance> {
    return this.#withLock(run, async () => {
      const paths = this.#paths(run)
      const account = await this.#context.account()
      const installation = await this.#clusterSetup.installation(run, paths)
      // After a crash this is all that comes before the next start.
      if (!this.#prepared.delete(run.data)) await this.#context.tidy(paths)
      await access(paths.cluster, constants.W_OK)
      await writeSettings(paths.cluster, installation, run.options.settings)
      await makeSocketFolder(paths)
      if (account.owner !== undefined) await chown(paths.socket, account.owner.uid, account.owner.gid)
      const port = portOf(run)
      const earlierFolders = await databaseFolders(paths.cluster)
      const server = await this.#context.processes().spawn({
        key: run.key,
        argv: serverArgv({ key: run.key, installation, account, cluster: paths.cluster, paths }, port),
        dir: '/',
        env: serverEnv(),
        tty: false,
        log: run.log,
        port,
        stopSignal: 'SIGINT',
        stopTimeout: run.stopTimeout,
        stopsChildren: true,
      })
      const instance = this.#instance(run, server, earlierFolders)
      await this.#waitForStart(run, paths, instance)
      return instance
    })
  }

  async adopt(run: PostgresRun, state: unknown): Promise<Instance | undefined> {
    const server = await this.#context.processes().adopt(state, run.log)
    if (server === undefined) return undefined
    // An earlier daemon may have ended in the middle of a snapshot or a branch. The server does not wait for that.
    const paths = this.#paths(run)
    const swept = [this.#withLock(run, () => this.#context.snapshots.sweep(paths)), this.#sweepBranches(run, paths)]
    Promise.all(swept).catch(error =>
      run.log.write('locald', `what an interrupted copy left is still there: ${messageOf(error)}`),
    )
    return this.#instance(run, server, [])
  }

  /** Takes the cluster in use away, and nothing else: it becomes a snapshot; the password stays. */
  reset(run: PostgresRun): Promise<void> {
    return this.#withLock(run, async () => {
      const paths = this.#paths(run)
      // A swap that was interrupted is ended first: the cluster it brings would be found at the next start.
      await this.#context.tidy(paths)
      await this.#context.snapshots.keepAsReset(paths)
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
      socket: this.#paths(run).socket,
    }
  }

  /** Does something to the service's data while nobody else does. What the disk has against it is told with a hint. */
  #withLock<T>({ data }: PostgresRun, work: () => Promise<T>): Promise<T> {
    return this.#context.locks.run(data, work).catch(error => {
      throw isDiskError(error) ? diskError(data, error) : error
    })
  }

  #paths(run: PostgresRun): ServicePaths {
    return servicePaths(run.data, this.#context.folders.sockets)
  }

  #target(run: PostgresRun): Target {
    const [database = maintenance] = run.options.databases
    const password = passwordOf(this.#paths(run))
    return { host: '127.0.0.1', port: portOf(run), user: superuser, password, database }
  }

  /** `earlierFolders`: the folders of databases that its server has found. */
  #instance(run: PostgresRun, server: Instance, earlierFolders: readonly string[]): PostgresInstance {
    let provisioned = false
    return new PostgresInstance(server, async () => {
      // The service's own databases may have to be made first, and who uses them may want to drop or copy them.
      const target = { ...this.#target(run), database: maintenance }
      if (!(await canQuery(target, this.#paths(run).cluster))) return false
      if (!provisioned) {
        await sweepBranches(target)
        await provision(target, run.options)
        await removeOrphans(target, this.#paths(run).cluster, earlierFolders)
      }
      provisioned = true
      return true
    })
  }

  /** Of a server that was ready nobody asks again whether it is; one that is not yet is swept when it is. */
  async #sweepBranches(run: PostgresRun, { cluster }: ServicePaths): Promise<void> {
    const target = { ...this.#target(run), database: maintenance }
    if (await canQuery(target, cluster)) await sweepBranches(target)
  }

  /** Waits a moment for a new server: what ends at once is told as the failure of the start, with its reason. */
  async #waitForStart(run: PostgresRun, paths: ServicePaths, instance: PostgresInstance): Promise<void> {
    let hasExited = false
    void instance.exited.then(() => {
      hasExited = true
    })
    try {
      await recordServer(paths, instance.pid, this.#context.table())
      const startedAt = performance.now()
      for (let elapsed = 0; !hasExited && elapsed < startWindowMs; elapsed = performance.now() - startedAt) {
        run.signal.throwIfAborted()
        if (await instance.probe()) return
        await setTimeout(elapsed < firstProbesMs ? firstPauseMs : laterPauseMs)
      }
    } catch (error) {
      await instance.stop({ graceMs: run.stopTimeout })
      if (sqlStateOf(error) !== '28P01') throw error
      writeRecord(paths.cluster, { ...(await readRecord(paths.cluster)), password: '' })
      throw new LocaldError('SERVICE_FAILED', `the password of role ${superuser} is not the one locald gave it`, {
        service: run.key,
        hint: 'Start it again: locald then sets the password anew.',
        cause: error,
      })
    }
    if (hasExited) throw await diagnoseExit(run.name, paths.cluster, await readLinesSince(run.log, instance.startedMs))
  }
}

function portOf(run: PostgresRun): number {
  if (run.port !== undefined) return run.port
  throw new LocaldError('INTERNAL', `${run.key} has no port`, { service: run.key })
}
