import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { CommonOptions, ProjectPlan, Variable } from '../../../kernel/contract/plugin.ts'
import { HookRuns, makeHooks } from '../../../kernel/plugins/hooks.ts'
import { ownVariables } from '../../../kernel/services/environment/own-variables.ts'
import { resolveEnvironment } from '../../../kernel/services/prepare.ts'
import { CaBundles } from '../../../plugins/https/ca/bundle.ts'
import { addNodeVariable } from '../../../plugins/https/ca/node-variable.ts'
import { fakeHost } from '../../lib/fake-host.ts'

const top = realpathSync(mkdtempSync(join(tmpdir(), 'locald-ca-')))
t.teardown(() => rmSync(top, { recursive: true, force: true }))

const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`
const root = join(top, 'root.pem')
writeFileSync(root, `${pem('ours')}\n`)
const company = join(top, 'company.pem')
const folder = join(top, 'bundles')

const project: ProjectPlan = {
  ...{ name: 'shop', path: top, domain: 'shop.localhost' },
  ...{ env: {}, services: [], routes: [], files: [] },
}

/** A service's environment with these variables in its table or shell, and its warnings. */
async function environment({ env = {}, shell = {} }: { env?: CommonOptions['env']; shell?: Record<string, string> }) {
  const common: CommonOptions = {
    ...{ workdir: undefined, port: undefined, env, envFile: [], dependsOn: {}, healthCheck: undefined, watch: [] },
    ...{ readyTimeout: 1, restart: 'no', stopSignal: 'SIGTERM', stopTimeout: 1 },
  }
  const hooks = makeHooks(() => {})
  const contributed: Variable[] = []
  addNodeVariable(fakeHost({ hooks, variable: it => void contributed.push(it) }), new CaBundles(folder), () => root)
  const runs = new HookRuns()
  runs.add('https', hooks)
  return await resolveEnvironment(
    {
      ...{ shell, project, hooks: runs, contributed, locate: undefined },
      service: { name: 'web', type: 'exec', common, options: {} },
      ref: { key: 'shop:web', name: 'web', type: 'exec', project },
      lookup: () => undefined,
    },
    { port: 3000, ports: {}, variables: ownVariables({ port: 3000, hosts: [] }, contributed) },
  )
}

t.test("NODE_EXTRA_CA_CERTS holds the person's authorities and ours", async t => {
  writeFileSync(
    company,
    `Company CA\n${pem('theirs')}\n-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n`,
  )
  const alone = await environment({})
  t.match(alone, { env: { NODE_EXTRA_CA_CERTS: root }, warnings: [] })
  t.strictSame((await environment({ shell: { NODE_EXTRA_CA_CERTS: '' } })).env['NODE_EXTRA_CA_CERTS'], root)
  const shell = await environment({ shell: { NODE_EXTRA_CA_CERTS: company } })
  const { env, warnings } = await environment({ env: { NODE_EXTRA_CA_CERTS: './company.pem' } })
  const file = env['NODE_EXTRA_CA_CERTS'] ?? ''
  t.strictSame([warnings, shell.env['NODE_EXTRA_CA_CERTS']], [[], file], 'from wherever it comes')
  t.equal(
    shell.fingerprint,
    (await environment({ shell: { NODE_EXTRA_CA_CERTS: root } })).fingerprint,
    'a shell makes no difference',
  )
  const text = readFileSync(file, 'utf8')
  t.match(text, `${pem('theirs')}\n${pem('ours')}\n`)
  t.notMatch(text, 'secret', 'a key beside a certificate stays where it is')
  t.strictSame([statSync(file).mode & 0o777, statSync(folder).mode & 0o777], [0o600, 0o700])
  const nested = await environment({ shell: { NODE_EXTRA_CA_CERTS: file } })
  t.equal(nested.env['NODE_EXTRA_CA_CERTS'], file, 'a service that calls locald gives it on')
})

t.test('it follows both files', async t => {
  const bundles = new CaBundles(folder)
  const { file } = await bundles.of(root, company)
  const { ino } = statSync(file)
  await bundles.refresh()
  t.equal(statSync(file).ino, ino, 'unchanged, it is left alone')
  writeFileSync(company, pem('renewed'))
  await bundles.refresh()
  t.match(readFileSync(file, 'utf8'), pem('renewed'))
  writeFileSync(root, pem('ours, renewed'))
  t.equal((await bundles.of(root, company)).file, file)
  t.match(readFileSync(file, 'utf8'), `${pem('renewed')}\n${pem('ours, renewed')}\n`)
  const both = await Promise.all([bundles.of(root, company), bundles.of(root, company)])
  t.equal(both[0], both[1], 'one look serves all that ask at once')
  rmSync(company)
  await bundles.refresh()
  t.match(readFileSync(file, 'utf8'), pem('renewed'), 'missing for a moment')
  t.strictSame(readdirSync(folder).length, 1)
})

t.test('is not made again while its files are unchanged', async t => {
  writeFileSync(company, pem('before'))
  const bundles = new CaBundles(folder)
  const first = await bundles.of(root, company)
  // Files that were written just now are read again.
  let kept = first
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const next = await bundles.of(root, company)
    if (next === kept) break
    kept = next
  }
  t.equal(await bundles.of(root, company), kept)
  writeFileSync(company, pem('after'))
  t.not(await bundles.of(root, company), kept, 'its source has changed')
  t.match(readFileSync(first.file, 'utf8'), 'after')
  rmSync(first.file)
  await bundles.refresh()
  t.match(readFileSync(first.file, 'utf8'), 'after', 'it was deleted')
})

t.test('a file that cannot be used is reported', async t => {
  mkdirSync(join(top, 'folder'))
  execFileSync('mkfifo', [join(top, 'pipe')])
  writeFileSync(join(top, 'empty.pem'), 'nothing\n')
  for (const [name, why] of [
    ['none.pem', 'there is no file '],
    ['folder', 'is a folder'],
    ['pipe', 'is not a regular file'],
    ['empty.pem', 'there is no certificate in '],
  ] as const) {
    const { env, warnings = [] } = await environment({ shell: { NODE_EXTRA_CA_CERTS: join(top, name) } })
    t.equal(env['NODE_EXTRA_CA_CERTS'], root, name)
    t.match(warnings, [{ message: /^NODE_EXTRA_CA_CERTS: .*; only the CA of locald/ }])
    t.match(warnings[0]?.message, why)
    t.match(warnings[0]?.message, join(top, name))
  }
})

t.test('a failed write is reported', async t => {
  const { env, warnings } = await environment({ env: { PORT: '4321', HOST: 'db.internal', NOTIFY_SOCKET: '/x' } })
  t.match(env, { PORT: '3000', HOST: 'db.internal' })
  t.match(warnings, [
    { message: 'PORT is set by locald; this value is ignored', hint: /`port = N`/ },
    { message: /^NOTIFY_SOCKET is set by locald/ },
  ])
  t.strictSame((await environment({ shell: { PORT: '1', HOST: 'x', NOTIFY_SOCKET: '/x' } })).warnings, [])
})
