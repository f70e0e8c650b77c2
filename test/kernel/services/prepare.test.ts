import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { EnvFiles } from '../../../kernel/config/sources/env-files.ts'
import { Trust } from '../../../kernel/config/trust/trust.ts'
import type { CommonOptions, ProjectPlan, ServiceType } from '../../../kernel/contract/plugin.ts'
import { HookRuns, makeHooks } from '../../../kernel/plugins/hooks.ts'
import { outlinePlan, type StartSource, startPlan, unresolvedIn } from '../../../kernel/services/prepare.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'locald-prepare-')))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const project: ProjectPlan = {
  ...{ name: 'shop', path: folder, domain: 'shop.localhost' },
  ...{ env: {}, services: [], routes: [], files: [] },
}

const common: CommonOptions = {
  ...{ workdir: undefined, port: undefined, envFile: [], dependsOn: {}, healthCheck: undefined, watch: [] },
  ...{ env: { API: `\${services.api.url}/v1` }, readyTimeout: 1, restart: 'no', stopSignal: 'SIGTERM', stopTimeout: 1 },
}

/** A source whose port and dependency can change, and how often its environment was resolved. */
function changing() {
  const now = { port: 3000, api: 'http://127.0.0.1:4000', resolved: 0 }
  const hooks = new HookRuns()
  // An environment is resolved as often as `.env` is read.
  class CountedFiles extends EnvFiles {
    override read(file: string, folderOk: boolean) {
      now.resolved++
      return super.read(file, folderOk)
    }
  }
  const envFiles = new CountedFiles({ trust: new Trust({ shell: {}, dataFolder: folder }), root: folder })
  const source: StartSource = {
    ...{ shell: {}, project, hooks, envFiles, contributed: [], locate: undefined, dir: folder },
    service: { name: 'web', type: 'exec', common, options: {} },
    ref: { key: 'shop:web', name: 'web', type: 'exec', project },
    driver: { type: 'exec', shape: { schema: {} }, start: () => Promise.reject(new Error('not started')) },
    lookup: (service, field) => (service === 'api' && field === 'url' ? now.api : undefined),
    wiring: () => ({
      ...{ port: now.port, ports: {}, url: null, dependencies: [], isAwaited: false },
      variables: { own: { PORT: String(now.port) }, defaults: {}, fallbacks: {} },
    }),
  }
  return { now, source }
}

t.test('a plan whose sources are unchanged is renewed without resolving its environment again', async t => {
  const { now, source } = changing()
  const plan = await startPlan(source)
  t.match(plan, { port: 3000, dir: folder, env: { PORT: '3000', API: 'http://127.0.0.1:4000/v1' }, warnings: [] })
  const renewed = await (await plan.renew()).renew()
  t.strictSame(renewed.env, plan.env)
  t.equal(renewed.fingerprint, plan.fingerprint)
  t.equal(now.resolved, 1)
})

t.test('a plan follows its port, the services that it reads and its files', async t => {
  const { now, source } = changing()
  const first = await startPlan(source)
  now.port = 3001
  const moved = await first.renew()
  t.match(moved, { port: 3001, env: { PORT: '3001' } })
  t.not(moved.fingerprint, first.fingerprint)
  now.api = 'http://[::1]:4000'
  const redirected = await moved.renew()
  t.equal(redirected.env['API'], 'http://[::1]:4000/v1')
  writeFileSync(join(folder, '.env'), 'COLOR=red\n')
  const withFile = await redirected.renew()
  t.equal(withFile.env['COLOR'], 'red')
  writeFileSync(join(folder, '.env'), 'COLOR=green\n')
  const rewritten = await withFile.renew()
  t.equal(rewritten.env['COLOR'], 'green')
  t.equal(now.resolved, 5)
  t.strictSame((await rewritten.renew()).env, rewritten.env)
  t.equal(now.resolved, 5)
})

t.test('an outline has no environment, and its renewal has one', async t => {
  const { now, source } = changing()
  const outline = outlinePlan(source)
  t.match(outline, { port: 3000, env: {}, fingerprint: '' })
  t.equal(now.resolved, 0)
  t.match(await outline.renew(), { env: { PORT: '3000' }, fingerprint: /./ })
})

t.test('a renewed plan has what the env hook returns at that time', async t => {
  const { source } = changing()
  const own = makeHooks(() => {})
  let token = 'none'
  own.env.tap('tokens', env => ({ ...env, TOKEN: token }))
  source.hooks.add('tokens', own)
  const plan = await startPlan(source)
  t.match(plan.env, { TOKEN: 'none' })
  token = 'fresh'
  const renewed = await plan.renew()
  t.match(renewed.env, { TOKEN: 'fresh', API: 'http://127.0.0.1:4000/v1' })
  t.not(renewed.fingerprint, plan.fingerprint)
})

t.test('before a start, what only services of this machine have counts as missing for a guest', async t => {
  const references = { A: `\${HOST}`, B: `\${CERTS}`, C: `\${PORT}`, D: `\${LOCALD_URL}` }
  const contributions = (driver: Partial<ServiceType<unknown>>) => ({
    findType: (type: string) => ({ type, shape: { schema: {} }, start: () => Promise.reject(), ...driver }),
    variables: () => [
      { name: 'CERTS', rank: 'fallback', value: () => 'x' } as const,
      { name: 'LOCALD_URL', rank: 'override', value: () => 'x' } as const,
    ],
  })
  const service = { name: 'web', type: 'any', common: { ...common, env: references }, options: {} }
  const trust = new Trust({ shell: {}, dataFolder: folder })
  const loaded = {
    plan: { ...project, services: [service] },
    locate: async () => ({ file: 'locald.toml', line: 1 }),
    envFiles: new EnvFiles({ trust, root: folder }),
  }
  const missing = async (driver: Partial<ServiceType<unknown>>, shell = {}) =>
    (await unresolvedIn(loaded, shell, { contributions: contributions(driver) }))?.message ?? ''
  t.equal(await missing({}), '')
  const ofGuest = await missing({ reach: 'guest' })
  for (const name of ['HOST', 'CERTS', 'PORT']) t.match(ofGuest, `\${${name}}`)
  t.notMatch(ofGuest, 'LOCALD_URL')
  t.notMatch(await missing({ reach: 'guest', guestPort: () => 80 }), 'PORT')
  t.equal(await missing({ reach: 'guest', guestPort: () => 80 }, { HOST: '0.0.0.0', CERTS: '/x' }), '')
})
