/** A project with a database, and what tests ask of both. */
import { readdirSync } from 'node:fs'
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import pg from 'pg'
import type { Test } from 'tap'
import type { Sandbox } from '../lib/sandbox.ts'

const ca = process.env['NODE_EXTRA_CA_CERTS']
export const network = ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }

const web = `import { createServer } from 'node:http'
createServer((_, answer) => answer.end(JSON.stringify(process.env))).listen(process.env.PORT, '127.0.0.1')
`

export const shop = (version = '') => ({
  'locald.toml': `[project]
name = "shop"

[services.web]
command = "node web.mjs"
depends_on = ["db"]

[services.other]
command = "node web.mjs"
env = { ELSEWHERE = "\${services.db.url}" }

[services.db]
type = "postgres"
databases = ["shop", "shop_test"]
commands.place = { run = 'printf "%s\\n" \${note} "$DATABASE_URL" "$PGDATABASE" \${services.db.url}', args = { note = {} } }
${version === '' ? '' : `version = "${version}"`}
`,
  'web.mjs': web,
})

/** What a plugin's command answers. */
export interface Answer {
  readonly exitCode?: number
  readonly text?: string
  readonly data?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string }
}

/** `locald db …`, as the CLI asks for it. */
export async function db(sandbox: Sandbox, cwd: string, ...argv: string[]): Promise<Answer> {
  const { socket } = await sandbox.server()
  return ask(socket, cwd, argv)
}

export function ask(socketPath: string, cwd: string, argv: readonly string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const call = request({ socketPath, path: '/v1/commands/db', method: 'POST', headers }, answer => {
      json(answer).then(value => resolve(Object(value)), reject)
    })
    call.once('error', reject)
    call.end(JSON.stringify({ argv, cwd }))
  })
}

export async function environmentOf(sandbox: Sandbox, host: string): Promise<Record<string, string>> {
  return JSON.parse((await sandbox.get(host)).body)
}

export async function urlOf(sandbox: Sandbox, folder: string): Promise<string> {
  const ran = await sandbox.ok(['run', 'db', '--', 'printenv', 'DATABASE_URL'], { cwd: folder })
  return ran.stdout.trim()
}

export async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

export async function count(url: string, table = 't'): Promise<number> {
  return Number((await query(url, `SELECT count(*) FROM ${table}`))[0]?.['count'])
}

export interface Writer {
  /** The last row that was acknowledged. */
  last(): number
  /** Its connections broke this many times. */
  breaks(): number
  stop(): Promise<void>
}

/** Writes rows one by one, and connects again whenever the connection breaks. */
export async function writer(url: string): Promise<Writer> {
  await query(url, 'CREATE TABLE IF NOT EXISTS written (n int PRIMARY KEY)')
  let n = Number((await query(url, 'SELECT coalesce(max(n), 0) AS n FROM written'))[0]?.['n'])
  let [goesOn, breaks] = [true, 0]
  const done = (async () => {
    while (goesOn) {
      const client = new pg.Client({ connectionString: url })
      client.on('error', () => {})
      try {
        await client.connect()
        for (; goesOn; n++) {
          await client.query('INSERT INTO written VALUES ($1) ON CONFLICT DO NOTHING', [n + 1])
        }
      } catch {
        breaks++
        await new Promise(wake => setTimeout(wake, 20))
      } finally {
        await client.end().catch(() => {})
      }
    }
  })()
  const stop = () => {
    goesOn = false
    return done
  }
  return { last: () => n, breaks: () => breaks, stop }
}

export async function isComplete(t: Test, url: string, last: number): Promise<void> {
  const [row] = await query(url, 'SELECT count(*)::int AS count, max(n) AS last FROM written')
  t.ok(Number(row?.['last']) >= last, `${last} were acknowledged, ${row?.['last']} are there`)
  t.equal(row?.['count'], row?.['last'], 'without a gap')
}

export function unfinished(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.includes('.unfinished-'))
}

/** A crash of everything at once: daemon, keepers, servers. */
export function crash(sandbox: Sandbox): void {
  for (const { pid } of sandbox.processes()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Another's end was its end, too.
    }
  }
}
