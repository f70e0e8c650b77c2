import { access, chown, constants } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { Instance, Run, ServiceType } from '../../kernel/contract/plugin.ts'
import { LocaldError, messageOf } from '../../kernel/errors.ts'
import { sweepBranches } from './cluster/branches.ts'
import type { PostgresContext } from './cluster/context.ts'
import { ClusterSetup } from './cluster/prepare.ts'
import { databaseFolders, provision, removeOrphans } from './cluster/provision.ts'
import { readRecord, writeRecord } from './cluster/record.ts'
import { diskError, isDiskError, makeSocketFolder, type ServicePaths, servicePaths } from './files/paths.ts'
import type { PostgresOptions } from './options.ts'
import { maintenance, sqlStateOf, superuser } from './server/client.ts'
import { serverArgv, serverEnv, writeSettings } from './server/command-line.ts'
import { diagnoseExit, readLinesSince } from './server/diagnosis.ts'
import { PostgresInstance } from './server/instance.ts'
import { canQuery } from './server/setup-server.ts'
import { recordServer } from './server/tracking.ts'
import { portOf, targetOf } from './target.ts'

type PostgresRun = Run<PostgresOptions>

/**
 * Most failures happen within this time, on a busy machine too; a longer start (recovery) is left to the supervisor:
 * ms.
 */
const startWindowMs = 10_000
const firstPauseMs = 5
/** Polls fast up to this time, which most starts need less than: ms. */
const firstProbesMs = 500
const laterPauseMs = 50

/** Runs services of type `postgres`. */
export class PostgresDriver implements Pick<ServiceType<PostgresOptions>, 'prepare' | 'start' | 'adopt' | 'reset'> {
  readonly #context: PostgresContext
  readonly #clusterSetup: ClusterSetup
  /** Data folders that were prepared and not started since. */
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
      // A restart after a crash skips `prepare`.
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
    // An earlier daemon may have exited during a snapshot or a branch. The server is usable meanwhile.
    const paths = this.#paths(run)
    const swept = [this.#withLock(run, () => this.#context.snapshots.sweep(paths)), this.#sweepBranches(run, paths)]
    Promise.all(swept).catch(error =>
      run.log.write('locald', `could not clean up after an interrupted copy: ${messageOf(error)}`),
    )
    return this.#instance(run, server, [])
  }

  /** Moves the cluster in use to a snapshot, and nothing else; the password stays. */
  reset(run: PostgresRun): Promise<void> {
    return this.#withLock(run, async () => {
      const paths = this.#paths(run)
      // Completes an interrupted swap first: the next start would find the cluster that it brings.
      await this.#context.tidy(paths)
      await this.#context.snapshots.keepAsReset(paths)
    })
  }

  /** Runs work on the service's data under its lock. Errors of the disk get a hint. */
  #withLock<T>({ data }: PostgresRun, work: () => Promise<T>): Promise<T> {
    return this.#context.locks.run(data, work).catch(error => {
      throw isDiskError(error) ? diskError(data, error) : error
    })
  }

  #paths(run: PostgresRun): ServicePaths {
    return servicePaths(run.data, this.#context.folders.sockets)
  }

  /** @param earlierFolders the folders of databases that existed before the server started */
  #instance(run: PostgresRun, server: Instance, earlierFolders: readonly string[]): PostgresInstance {
    let provisioned = false
    return new PostgresInstance(server, async () => {
      // In the maintenance database: the service's own may not exist yet, and clients may want to drop or copy them.
      const target = { ...targetOf(run, this.#paths(run)), database: maintenance }
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

  /**
   * A running server's readiness is not probed again, so an adopted one is swept here; one that is not ready yet is
   * swept once it is.
   */
  async #sweepBranches(run: PostgresRun, { cluster }: ServicePaths): Promise<void> {
    const target = { ...targetOf(run, this.#paths(run)), database: maintenance }
    if (await canQuery(target, cluster)) await sweepBranches(target)
  }

  /** Waits for a new server until it is ready. An exit within that time fails the start, with its reason. */
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
      throw new LocaldError('SERVICE_FAILED', `the password of role ${superuser} is not the one that locald set`, {
        service: run.key,
        hint: 'Start the service again: locald then sets its password.',
        cause: error,
      })
    }
    if (hasExited) throw await diagnoseExit(run.name, paths.cluster, await readLinesSince(run.log, instance.startedMs))
  }
}
