import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Run } from '../../../kernel/contract/plugin.ts'
import { LocaldError, systemCode } from '../../../kernel/errors.ts'
import type { Installation } from '../binaries/inspect.ts'
import { type Major, majorOf, majors, newest } from '../binaries/versions.ts'
import { copyTree, placeFolder, removeFolder } from '../files/copy-tree.ts'
import { type Places, passwordOf, placesOf, unusable } from '../files/paths.ts'
import type { PostgresOptions } from '../options.ts'
import { literal, maintenance, superuser, withClient } from '../server/client.ts'
import { writeSettings } from '../server/command-line.ts'
import { damagedHint } from '../server/diagnosis.ts'
import { withSetupServer } from '../server/setup-server.ts'
import type { Shared } from './context.ts'
import { provision, readInit, requireNames, runInit } from './provision.ts'
import {
  clusterCopy,
  clusterMajor,
  fingerprintOf,
  isCluster,
  newRecord,
  readRecord,
  versionOf,
  writeRecord,
} from './record.ts'
import type { Entry } from './service-register.ts'

type PostgresRun = Run<PostgresOptions>

/** Makes services' clusters ready to be started. The service's lock is held by the caller. */
export class Maker {
  readonly #shared: Shared

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** Makes the cluster where there is none; never touches the data of one that is there. */
  async prepare(run: PostgresRun): Promise<void> {
    requireNames(run.options)
    const places = placesOf(run.data, this.#shared.folders.sockets)
    passwordOf(places)
    const isAnothers = await this.#shared.register.note(run)
    await this.#shared.tidy(places)
    await requireCluster(places)
    if (await isCluster(places.cluster)) {
      if (isAnothers) run.log.write('locald', ofEarlierTree(run.name))
      const { password } = await readRecord(places.cluster)
      if (password === fingerprintOf(passwordOf(places))) return
      run.step('setting the password')
      await this.#setUp(run, places, await this.installation(run, places), places.cluster)
    } else await this.#make(run, places)
  }

  /** The programs for the cluster that is there. One of another major than asked for is refused. */
  async installation(run: PostgresRun, places: Places): Promise<Installation> {
    const { version } = run.options
    const own = await clusterMajor(places.cluster)
    if (own === undefined || (version !== undefined && version !== own)) {
      throw refused(run, (await versionOf(places.cluster)) ?? '', version ?? newest)
    }
    return this.#find(run, own)
  }

  #find(run: PostgresRun, major: Major): Promise<Installation> {
    const { extensions } = run.options
    const { project, env, signal, step } = run
    return this.#shared.installations.find({ major, extensions, project: project.path, env, signal, step })
  }

  /** A new cluster: a branch of the main checkout's in a git worktree, else a copy of the template. */
  async #make(run: PostgresRun, places: Places): Promise<void> {
    const source = await this.#source(run)
    if (source !== undefined) return this.#branch(run, places, source)
    const file = this.#initFile(run)
    // Before anything is made: the file is there.
    if (file !== undefined) await readInit(file, run.project.path)
    const installation = await this.#find(run, run.options.version ?? newest)
    const account = await this.#shared.account()
    const template = await this.#shared.templates.of(installation, account, run.step)
    run.step(`making a cluster of PostgreSQL ${installation.version}`)
    await placeFolder(places.cluster, async folder => {
      await copyTree(template, folder, { ...clusterCopy, owner: account.owner, signal: run.signal })
      writeRecord(folder, newRecord)
      await this.#setUp(run, places, installation, folder)
    })
  }

  /** The same service of the main checkout, where this is a worktree's first start and there is something to branch from. */
  async #source(run: PostgresRun): Promise<Entry | undefined> {
    const main = run.options.branch ? run.project.worktree?.mainCheckout : undefined
    if (main === undefined) return undefined
    const source = (await this.#shared.register.at(main)).find(({ name }) => name === run.name)
    const major = source && (await clusterMajor(placesOf(source.data, this.#shared.folders.sockets).cluster))
    if (major === undefined || run.options.version === undefined || run.options.version === major) {
      return major === undefined ? undefined : source
    }
    run.step(`not branched: the main checkout's data is of PostgreSQL ${major}`)
    return undefined
  }

  async #branch(run: PostgresRun, places: Places, source: Entry): Promise<void> {
    const from = placesOf(source.data, this.#shared.folders.sockets)
    const major = await clusterMajor(from.cluster)
    const installation = await this.#find(run, major ?? newest)
    run.step(`branching the data of ${source.key}`)
    await placeFolder(places.cluster, async folder => {
      await this.#shared.locks.run(source.data, () => this.#shared.snapshots.copy(from, folder, run.signal))
      writeRecord(folder, { ...(await readRecord(folder)), branchOf: source.path })
      await this.#setUp(run, places, installation, folder)
    })
  }

  /** Gives a cluster that nobody uses the service's password, databases and extensions; and runs `init` where it has not been. */
  async #setUp(run: PostgresRun, places: Places, installation: Installation, cluster: string): Promise<void> {
    const account = await this.#shared.account()
    const password = passwordOf(places)
    const record = await readRecord(cluster)
    const file = record.initialised ? undefined : this.#initFile(run)
    await writeSettings(cluster, installation, run.options.settings)
    const isPlaced = cluster === places.cluster
    const input = { key: run.key, installation, account, cluster, places, isPlaced }
    await withSetupServer(input, this.#shared.table(), run.signal, async target => {
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
}

function ofEarlierTree(name: string): string {
  return `the data is that of an earlier git worktree in this folder; \`locald service reset ${name}\` begins with a new branch`
}

/** What is in the cluster's place must be one, or nothing. */
async function requireCluster(places: Places): Promise<void> {
  if (await isCluster(places.cluster)) return
  const names = await readdir(places.cluster).catch(error => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw unusable(places.cluster, error)
  })
  if (names === undefined) return
  if (names.length === 0) return removeFolder(places.cluster)
  throw new LocaldError('STEP_FAILED', `${places.cluster} is not a PostgreSQL cluster: it has no PG_VERSION`, {
    hint: 'It is left as it is. Start empty with `locald service reset`, or go back to a snapshot with `locald db restore`.',
  })
}

function refused({ key, name }: PostgresRun, found: string, asked: Major): LocaldError {
  if (!/^\d+$/.test(found)) {
    const message = `its data is damaged: PG_VERSION names no version ('${found}')`
    return new LocaldError('STEP_FAILED', message, { service: key, hint: damagedHint })
  }
  const own = majorOf(found)
  const keep =
    own === undefined
      ? `This locald has PostgreSQL ${majors[0]} to ${newest}: restore a snapshot`
      : `Set version = "${found}" to go on with it`
  const upgrade =
    own !== undefined && Number(own) < Number(asked)
      ? `\`locald db upgrade --service ${name}\` brings it to ${asked}; `
      : ''
  return new LocaldError('STEP_FAILED', `its data is of PostgreSQL ${found}, not ${asked}`, {
    service: key,
    hint: `${keep}; ${upgrade}\`locald service reset ${name}\` starts empty.`,
  })
}
