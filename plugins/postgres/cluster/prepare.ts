import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Run } from '../../../kernel/contract/plugin.ts'
import { LocaldError, systemCode } from '../../../kernel/errors.ts'
import type { Installation } from '../binaries/inspect.ts'
import { type Major, majorOf, majors, newest } from '../binaries/versions.ts'
import { copyTree, placeFolder, removeFolder } from '../files/copy-tree.ts'
import { diskError, passwordOf, type ServicePaths, servicePaths } from '../files/paths.ts'
import type { PostgresOptions } from '../options.ts'
import { maintenance, superuser, withClient } from '../server/client.ts'
import { writeSettings } from '../server/command-line.ts'
import { damagedHint } from '../server/diagnosis.ts'
import { withSetupServer } from '../server/setup-server.ts'
import type { PostgresContext } from './context.ts'
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
import type { ServiceEntry } from './service-register.ts'

type PostgresRun = Run<PostgresOptions>

/** Prepares clusters for their start. The caller holds the service's lock. */
export class ClusterSetup {
  readonly #context: PostgresContext

  constructor(context: PostgresContext) {
    this.#context = context
  }

  /** Creates the cluster where there is none; never touches existing data. */
  async prepare(run: PostgresRun): Promise<void> {
    requireNames(run.options)
    const paths = servicePaths(run.data, this.#context.folders.sockets)
    passwordOf(paths)
    const isOfEarlierWorktree = await this.#context.register.record(run)
    await this.#context.tidy(paths)
    await requireCluster(paths)
    if (await isCluster(paths.cluster)) {
      if (isOfEarlierWorktree) run.log.write('locald', staleWorktreeWarning(run.name))
      const { password } = await readRecord(paths.cluster)
      if (password === fingerprintOf(passwordOf(paths))) return
      run.step('setting the password')
      await this.#provisionCluster(run, paths, await this.installation(run, paths), paths.cluster)
    } else await this.#create(run, paths)
  }

  /** Returns the programs for an existing cluster. Throws STEP_FAILED when its major is not the requested one. */
  async installation(run: PostgresRun, paths: ServicePaths): Promise<Installation> {
    const { version } = run.options
    const major = await clusterMajor(paths.cluster)
    if (major === undefined || (version !== undefined && version !== major)) {
      throw versionMismatch(run, (await versionOf(paths.cluster)) ?? '', version ?? newest)
    }
    return this.#find(run, major)
  }

  #find(run: PostgresRun, major: Major): Promise<Installation> {
    const { extensions } = run.options
    const { project, env, signal, step } = run
    return this.#context.installations.find({ major, extensions, project: project.path, env, signal, step })
  }

  /** Creates a cluster: a branch of the main checkout's in a git worktree, else a copy of the template. */
  async #create(run: PostgresRun, paths: ServicePaths): Promise<void> {
    const source = await this.#source(run)
    if (source !== undefined) return this.#branch(run, paths, source)
    const file = this.#initFile(run)
    // Fails early when the file is missing.
    if (file !== undefined) await readInit(file, run.project.path)
    const installation = await this.#find(run, run.options.version ?? newest)
    const account = await this.#context.account()
    const template = await this.#context.templates.of(installation, account, run.step)
    run.step(`creating a cluster of PostgreSQL ${installation.version}`)
    await placeFolder(paths.cluster, async folder => {
      await copyTree(template, folder, { ...clusterCopy, owner: account.owner, signal: run.signal })
      writeRecord(folder, newRecord)
      await this.#provisionCluster(run, paths, installation, folder)
    })
  }

  /** Returns the same service of the main checkout, on the first start in a worktree, if it has data to branch from. */
  async #source(run: PostgresRun): Promise<ServiceEntry | undefined> {
    const main = run.options.branch ? run.project.worktree?.mainCheckout : undefined
    if (main === undefined) return undefined
    const source = (await this.#context.register.at(main)).find(({ name }) => name === run.name)
    const major = source && (await clusterMajor(servicePaths(source.data, this.#context.folders.sockets).cluster))
    if (major === undefined || run.options.version === undefined || run.options.version === major) {
      return major === undefined ? undefined : source
    }
    run.step(`not branched: the main checkout's data is of PostgreSQL ${major}`)
    return undefined
  }

  async #branch(run: PostgresRun, paths: ServicePaths, source: ServiceEntry): Promise<void> {
    const from = servicePaths(source.data, this.#context.folders.sockets)
    const major = await clusterMajor(from.cluster)
    const installation = await this.#find(run, major ?? newest)
    run.step(`branching the data of ${source.key}`)
    await placeFolder(paths.cluster, async folder => {
      await this.#context.locks.run(source.data, () => this.#context.snapshots.copy(from, folder, run.signal))
      writeRecord(folder, { ...(await readRecord(folder)), branchOf: source.path })
      await this.#provisionCluster(run, paths, installation, folder)
    })
  }

  /** Gives an unused cluster the service's password, databases and extensions, and runs `init` unless it has run. */
  async #provisionCluster(
    run: PostgresRun,
    paths: ServicePaths,
    installation: Installation,
    cluster: string,
  ): Promise<void> {
    const account = await this.#context.account()
    const password = passwordOf(paths)
    const record = await readRecord(cluster)
    const file = record.initialised ? undefined : this.#initFile(run)
    await writeSettings(cluster, installation, run.options.settings)
    const isPlaced = cluster === paths.cluster
    const input = { key: run.key, installation, account, cluster, paths, isPlaced }
    await withSetupServer(input, this.#context.table(), run.signal, async target => {
      await withClient(target, client =>
        client.query(`ALTER ROLE ${superuser} PASSWORD ${client.escapeLiteral(password)}`),
      )
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

function staleWorktreeWarning(name: string): string {
  return `the data is that of an earlier git worktree in this folder; \`locald service reset ${name}\` creates a new branch`
}

/** Throws STEP_FAILED when the cluster's path has something else; removes an empty folder. */
async function requireCluster(paths: ServicePaths): Promise<void> {
  if (await isCluster(paths.cluster)) return
  const names = await readdir(paths.cluster).catch(error => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw diskError(paths.cluster, error)
  })
  if (names === undefined) return
  if (names.length === 0) return removeFolder(paths.cluster)
  throw new LocaldError('STEP_FAILED', `${paths.cluster} is not a PostgreSQL cluster: it has no PG_VERSION`, {
    hint: 'Start empty with `locald service reset`, or restore a snapshot with `locald db restore`; the folder was not changed.',
  })
}

function versionMismatch({ key, name }: PostgresRun, found: string, requested: Major): LocaldError {
  if (!/^\d+$/.test(found)) {
    const message = `its data is corrupt: PG_VERSION names no version ('${found}')`
    return new LocaldError('STEP_FAILED', message, { service: key, hint: damagedHint })
  }
  const major = majorOf(found)
  const isOlder = major !== undefined && Number(major) < Number(requested)
  const choices = [
    major === undefined
      ? `Restore a snapshot of PostgreSQL ${majors[0]} to ${newest}`
      : `Set version = "${found}" to keep it`,
    ...(isOlder ? [`run \`locald db upgrade --service ${name}\` to upgrade it to ${requested}`] : []),
    `or start empty with \`locald service reset ${name}\`.`,
  ]
  return new LocaldError('STEP_FAILED', `its data is of PostgreSQL ${found}, not ${requested}`, {
    service: key,
    hint: choices.join(', '),
  })
}
