import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { LocaldError, messageOf } from '../../../kernel/errors.ts'
import { type Installation, systemProgram } from '../binaries/inspect.ts'
import { type Major, majorOf, majors, newest } from '../binaries/versions.ts'
import { copyTree, placeFolder } from '../files/copy-tree.ts'
import { passwordOf, servicePaths } from '../files/paths.ts'
import { superuser, type Target, withClient } from '../server/client.ts'
import { withSetupServer } from '../server/setup-server.ts'
import type { PostgresContext } from './context.ts'
import { clusterMajor, fingerprintOf, readRecord, writeRecord } from './record.ts'
import type { ServiceEntry } from './service-register.ts'

/** The result of an upgrade. */
export interface Upgraded {
  readonly from: Major
  readonly to: Major
  /** The snapshot of the old data. */
  readonly kept: string
}

/** Upgrades a service's data to the configured version: from server to server, without a dump file. */
export class Upgrade {
  readonly #context: PostgresContext

  constructor(context: PostgresContext) {
    this.#context = context
  }

  /** Upgrades a stopped service. The old cluster stays in place until the new one is complete. */
  run(entry: ServiceEntry, signal: AbortSignal): Promise<Upgraded> {
    return this.#context.locks.run(entry.data, async () => {
      const paths = servicePaths(entry.data, this.#context.folders.sockets)
      await this.#context.tidy(paths)
      const from = await clusterMajor(paths.cluster)
      const to = majorOf(entry.version ?? newest) ?? newest
      if (from === undefined) throw refusal(entry, 'no data yet', 'Run `locald up` to create it.')
      if (Number(from) >= Number(to)) {
        throw refusal(
          entry,
          `its data is of PostgreSQL ${from}, the requested version is ${to}`,
          'Set a later `version` and run `locald up`, which refuses it; then upgrade.',
        )
      }
      const programs = await findClientPrograms(entry, to)
      const [older, newer] = [await this.#find(entry, from, signal), await this.#find(entry, to, signal)]
      const kept = freeName(paths.snapshots, `before-${to}`)
      await placeFolder(paths.next, folder => this.#fill(entry, { older, newer, folder, programs, signal }))
      await this.#context.snapshots.swap(paths, kept)
      return { from, to, kept }
    })
  }

  #find(entry: ServiceEntry, major: Major, signal: AbortSignal): Promise<Installation> {
    const env = Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    )
    const { extensions, path } = entry
    return this.#context.installations.find({ major, extensions, project: path, env, signal, step() {} })
  }

  /** Creates a cluster with everything of the old one. */
  async #fill(
    entry: ServiceEntry,
    input: { older: Installation; newer: Installation; folder: string; programs: ClientPrograms; signal: AbortSignal },
  ): Promise<void> {
    const { older, newer, folder, programs, signal } = input
    const paths = servicePaths(entry.data, this.#context.folders.sockets)
    const account = await this.#context.account()
    const table = this.#context.table()
    const template = await this.#context.templates.of(newer, account, () => {})
    await copyTree(template, folder, { owner: account.owner, signal })
    const common = { key: entry.key, account, paths }
    const source = { ...common, installation: older, cluster: paths.cluster, isPlaced: true }
    await withSetupServer(source, table, signal, old =>
      withSetupServer(
        { ...common, installation: newer, cluster: folder, isPlaced: false },
        table,
        signal,
        async next => {
          await transfer(entry, programs, old, next)
          const password = passwordOf(paths)
          await withClient(next, client =>
            client.query(`ALTER ROLE ${superuser} PASSWORD ${client.escapeLiteral(password)}`),
          )
          const record = await readRecord(paths.cluster)
          writeRecord(folder, { ...record, password: fingerprintOf(password) })
        },
        old.port + 1,
      ),
    )
  }
}

/** The client programs, which the server's packages lack. */
interface ClientPrograms {
  readonly dump: string
  readonly psql: string
}

async function findClientPrograms(entry: ServiceEntry, to: Major): Promise<ClientPrograms> {
  const path = process.env['PATH']
  const [dump, psql] = await Promise.all([
    systemProgram('pg_dumpall', to, majors, path),
    systemProgram('psql', '13', majors, path),
  ])
  if (dump !== undefined && psql !== undefined) return { dump, psql }
  throw refusal(
    entry,
    `client programs of PostgreSQL ${to} or later not found`,
    `Install them (on Debian: \`apt install postgresql-client-${to}\`; on macOS: \`brew install libpq\`), or set \`version\` back.`,
  )
}

/**
 * Copies everything of one server into another. Throws on the first error, except that the superuser already exists.
 */
async function transfer(entry: ServiceEntry, { dump, psql }: ClientPrograms, from: Target, to: Target): Promise<void> {
  const at = ({ host, port, user }: Target) => ['-h', host, '-p', String(port), '-U', user]
  const env = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' }
  const reader = spawn(dump, at(from), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const writer = spawn(psql, [...at(to), '-X', '-q', '-d', to.database], { env, stdio: ['pipe', 'ignore', 'pipe'] })
  const errors: string[] = []
  for (const stream of [reader.stderr, writer.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => errors.push(...text.split('\n')))
  }
  const codes = [reader, writer].map(
    child => new Promise<number | null>(resolve => child.once('error', () => resolve(null)).once('close', resolve)),
  )
  const pipeError = await pipeline(reader.stdout, writer.stdin).then(
    () => undefined,
    error => messageOf(error),
  )
  const failed = (await Promise.all(codes)).some(code => code !== 0)
  const problem = errors.find(
    line => /(?:ERROR|FATAL|error):/.test(line) && !line.includes(`role "${superuser}" already exists`),
  )
  const reason = problem ?? pipeError ?? (failed ? (errors.find(line => line !== '') ?? 'a program failed') : undefined)
  if (reason === undefined) return
  throw refusal(entry, `could not copy the data: ${reason}`, 'Fix the cause and upgrade again; nothing was changed.')
}

/** Returns a name without a snapshot. */
function freeName(folder: string, name: string): string {
  for (let round = 1; ; round++) {
    const tried = round === 1 ? name : `${name}-${round}`
    if (!existsSync(join(folder, tried))) return tried
  }
}

function refusal({ key }: ServiceEntry, reason: string, hint: string): LocaldError {
  return new LocaldError('STEP_FAILED', `${key} was not upgraded: ${reason}`, { service: key, hint })
}
