import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { Findings } from '../../../plugins/worktree-leaks/findings.ts'
import { service } from './services.ts'

const target = service('shop', 'api', { hosts: ['api.shop.localhost'] })
const place = 'api.shop.localhost'

/** Adds findings in the order of their services, and returns of which ones it warns. */
async function warned(
  folder: string,
  leaks: readonly (readonly [name: string, use: 'connection' | 'environment'])[],
): Promise<readonly string[]> {
  const noted = new EventEmitter()
  const warnings: string[] = []
  const findings = new Findings({
    worktrees: { sourceOf: async () => 'locald.toml:2' },
    control: () => ({ warn: key => warnings.push(key), note: key => noted.emit(key) }),
    plugin: 'worktree-leaks',
    log: { info() {}, warn() {}, error() {} },
  })
  const fields = (use: string) => (use === 'environment' ? { variable: 'API', env: { API: `http://${place}` } } : {})
  for (const [name, use] of leaks) {
    const { variable, env = {} } = fields(use)
    const from = service('fix', name, { path: folder, env })
    findings.add({ from, target, place, use, ...(variable === undefined ? {} : { variable }) })
  }
  // Reports come in order: the last one is for a service of its own.
  const last = once(noted, 'fix:last', { signal: AbortSignal.timeout(10_000) })
  findings.add({ from: service('fix', 'last', { path: folder }), target, place, use: 'connection' })
  await last
  return warnings.filter(key => key !== 'fix:last')
}

t.test('what one line sets for several services is reported once', async t => {
  const folder = t.testdir({ 'locald.toml': '[env]\nAPI = "http://api.shop.localhost"\n' })
  t.same(
    await warned(folder, [
      ['web', 'environment'],
      ['jobs', 'environment'],
    ]),
    ['fix:web'],
  )
})

t.test('a service whose connection leads to the line of another one does not hide that one', async t => {
  const folder = t.testdir({ 'locald.toml': '[services.web.env]\nAPI = "http://api.shop.localhost"\n' })
  t.same(
    await warned(folder, [
      ['jobs', 'connection'],
      ['web', 'environment'],
    ]),
    ['fix:jobs', 'fix:web'],
  )
})
