import { chown, readdir, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { LocaldError, systemCode } from '../../kernel/errors.ts'
import type { Instance, Run, ServiceType } from '../../kernel/plugin.ts'
import type { Account } from './account.ts'
import { literal, maintenance, sqlState, superuser, type Target, withClient } from './client.ts'
import {
  clusterCopy,
  clusterMajor,
  fingerprintOf,
  isCluster,
  newRecord,
  readRecord,
  versionOf,
  writeRecord,
} from './cluster.ts'
import { diagnose } from './diagnosis.ts'
import type { Installation } from './installation.ts'
import { PostgresInstance } from './instance.ts'
import { endLeftover, rememberServer } from './leftover.ts'
import { linesSince } from './log.ts'
import { options, type PostgresOptions } from './options.ts'
import { makeSocketFolder, type Places, passwordOf, placesOf, unusable } from './places.ts'
import { provision, readInit, runInit } from './provision.ts'
import { serverArgv, serverEnv, writeSettings } from './server.ts'
import { answers, withSetupServer } from './setup.ts'
import type { Shared } from './shared.ts'
import { copyTree, placeFolder, removeFolder, sweepFolder } from './tree.ts'
import { type Major, newest } from './versions.ts'

type PostgresRun = Run<PostgresOptions>

/** Most of what can go wrong goes wrong at once; what takes longer (recovery) is watched as a start: ms. */
const earlyMs = 1000
const earlyPauseMs = 5

/** Runs `type = "postgres"` services. */
export class PostgresDriver implements ServiceType<PostgresOptions> {
  readonly type = 'postgres'
  readonly network = 'port'
  readonly shape = options
  readonly #shared: Shared

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** Makes the cluster where there is none; never touches the data of one that is there. */
  prepare(run: PostgresRun): Promise<void> {
    return this.#shared.locks.run(run.data, async () => {
      const places = this.#places(run)
      const account = await this.#shared.account()
      await endLeftover(places, this.#shared.table())
      await tidy(places)
      const installation = await this.#installation(run, places)
      if (await isCluster(places.cluster)) {
        const { password } = await readRecord(places.cluster)
        if (password === fingerprintOf(passwordOf(places))) return
        run.step('setting the password')
        await this.#setUp(run, { places, installation, account, cluster: places.cluster })
      } else await this.#make(run, places, installation, account)
    })
  }

  start(run: PostgresRun): Promise<Instance> {
    return this.#shared.locks.run(run.data, async () => {
      const places = this.#places(run)
      const account = await this.#shared.account()
      const installation = await this.#installation(run, places)
      await writeSettings(places.cluster, installation, run.options.settings)
      await makeSocketFolder(places)
      if (account.owner !== undefined) await chown(places.socket, account.owner.uid, account.owner.gid)
      const port = portOf(run)
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
      })
      await rememberServer(places, held.pid, this.#shared.table())
      const instance = this.#instance(run, held)
      await this.#begin(run, places, instance)
      return instance
    })
  }

  async adopt(run: PostgresRun, state: unknown): Promise<Instance | undefined> {
    const held = await this.#shared.processes().adopt(state, run.log)
    return held === undefined ? undefined : this.#instance(run, held)
  }

  /** Removes the cluster in use, and nothing else: snapshots and the password stay. */
  reset(run: PostgresRun): Promise<void> {
    return this.#shared.locks.run(run.data, async () => {
      const places = this.#places(run)
      await endLeftover(places, this.#shared.table())
      await removeFolder(places.cluster)
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

  #places(run: PostgresRun): Places {
    return placesOf(run.data, this.#shared.folders.runtime)
  }

  #target(run: PostgresRun): Target {
    const [database = maintenance] = run.options.databases
    const password = passwordOf(this.#places(run))
    return { host: '127.0.0.1', port: portOf(run), user: superuser, password, database }
  }

  /** The programs for the cluster that is there, or for a new one. A cluster of another major than asked for is refused. */
  async #installation(run: PostgresRun, places: Places): Promise<Installation> {
    const { version, extensions } = run.options
    const found = await versionOf(places.cluster)
    const own = await clusterMajor(places.cluster)
    if (found !== undefined && (own === undefined || (version !== undefined && version !== own))) {
      throw refused(run, found, version ?? newest)
    }
    return this.#shared.installations.find({
      major: own ?? version ?? newest,
      extensions,
      project: run.project.path,
      env: run.env,
      signal: run.signal,
      step: run.step,
    })
  }

  async #make(run: PostgresRun, places: Places, installation: Installation, account: Account): Promise<void> {
    const file = this.#initFile(run)
    // Before anything is made: the file is there.
    if (file !== undefined) await readInit(file, run.project.path)
    const template = await this.#shared.templates.of(installation, account, run.step)
    run.step(`making a cluster of PostgreSQL ${installation.version}`)
    await placeFolder(places.cluster, async folder => {
      await copyTree(template, folder, { ...clusterCopy, owner: account.owner, signal: run.signal })
      writeRecord(folder, newRecord)
      await this.#setUp(run, { places, installation, account, cluster: folder })
    })
  }

  /** Gives a cluster that nobody uses the service's password, databases and extensions; and runs `init` where it has not been. */
  async #setUp(
    run: PostgresRun,
    input: { places: Places; installation: Installation; account: Account; cluster: string },
  ): Promise<void> {
    const { places, installation, cluster } = input
    const password = passwordOf(places)
    const record = await readRecord(cluster)
    const file = record.initialised ? undefined : this.#initFile(run)
    await writeSettings(cluster, installation, run.options.settings)
    await withSetupServer({ key: run.key, ...input }, this.#shared.table(), run.signal, async target => {
      const sql = `ALTER ROLE ${superuser} PASSWORD ${literal(password)}`
      await withClient(target, client => client.query(sql))
      await provision(target, run.options)
      if (file === undefined) return
      run.step('running init')
      const [database = maintenance] = run.options.databases
      await runInit({ ...target, database }, await readInit(file, run.project.path), file, run.project.path)
    })
    writeRecord(cluster, { ...record, password: fingerprintOf(password), initialised: true })
  }

  #initFile(run: PostgresRun): string | undefined {
    return run.options.init === undefined ? undefined : resolve(run.project.path, run.options.init)
  }

  #instance(run: PostgresRun, held: Instance): PostgresInstance {
    let provisioned = false
    return new PostgresInstance(held, async () => {
      const target = this.#target(run)
      if (!(await answers(target))) return false
      if (!provisioned) await provision(target, run.options)
      provisioned = true
      return true
    })
  }

  /** Waits a moment for a new server: what ends at once is told as the failure of the start, with its reason. */
  async #begin(run: PostgresRun, places: Places, instance: PostgresInstance): Promise<void> {
    let ended = false
    void instance.exited.then(() => {
      ended = true
    })
    try {
      const end = performance.now() + earlyMs
      while (!ended && performance.now() < end) {
        if (await instance.probe()) return
        await setTimeout(earlyPauseMs)
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
    if (ended) throw diagnose(run.name, await linesSince(run.log, instance.startedMs))
  }
}

function portOf(run: PostgresRun): number {
  if (run.port !== undefined) return run.port
  throw new LocaldError('INTERNAL', `${run.key} has no port`, { service: run.key })
}

/** Makes sure that the service's folder can be used, and removes what was interrupted in it. */
async function tidy(places: Places): Promise<void> {
  passwordOf(places)
  for (const folder of [places.data, places.snapshots]) await sweepFolder(folder)
  if (await isCluster(places.cluster)) return
  const names = await readdir(places.cluster).catch(error => {
    if (systemCode(error) === 'ENOENT') return []
    throw unusable(places.cluster, error)
  })
  const isThere = (await stat(places.cluster).catch(() => undefined)) !== undefined
  if (names.length > 0) {
    throw new LocaldError('STEP_FAILED', `${places.cluster} is not a PostgreSQL cluster: it has no PG_VERSION`, {
      hint: 'It is left as it is. Start empty with `locald service reset`, or go back to a snapshot with `locald db restore`.',
    })
  }
  if (isThere) await removeFolder(places.cluster)
}

function refused(run: PostgresRun, found: string, asked: Major): LocaldError {
  return new LocaldError('STEP_FAILED', `${run.name}: its data is of PostgreSQL ${found}, not ${asked}`, {
    service: run.key,
    hint: `Set version = "${found}" to go on with it; \`locald db upgrade ${run.name}\` brings it to ${asked}; \`locald service reset ${run.name}\` starts empty.`,
  })
}
