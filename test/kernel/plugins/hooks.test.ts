import t from 'tap'
import type { EnvContext, Hooks, ProjectPlan, ServiceRef } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { HookRuns, makeHooks } from '../../../kernel/plugins/hooks.ts'

const plan: ProjectPlan = {
  name: 'shop',
  path: '/shop',
  domain: 'shop.localhost',
  env: {},
  services: [],
  routes: [],
  files: [],
}
const service: ServiceRef = {
  key: 'shop:web',
  name: 'web',
  type: 'exec',
  project: { name: 'shop', path: '/shop', domain: 'shop.localhost' },
}

const context: EnvContext = {
  dir: '/shop',
  reach: 'host',
  dependencies: [],
  isOwn: () => true,
  lookup: (service, field) => `${service}.${field}`,
}

const series = ['starting', 'ready', 'stopping', 'gone', 'down', 'closing'] as const

/** Plugins by name, each with what it taps. */
function runs(plugins: Readonly<Record<string, (hooks: Hooks) => void>>): HookRuns {
  const all = new HookRuns(100)
  for (const [name, tap] of Object.entries(plugins)) {
    const hooks = makeHooks(() => {})
    tap(hooks)
    all.add(name, hooks)
  }
  return all
}

function call(all: HookRuns, name: (typeof series)[number]): Promise<void> {
  if (name === 'closing') return all.closing()
  return name === 'down' ? all.down(service.project) : all[name](service)
}

t.test('runs a series one by one, in plugin order', async t => {
  for (const name of series) {
    const seen: string[] = []
    const tapBoth = (plugin: string) => (hooks: Hooks) => {
      hooks[name].tapPromise(plugin, async () => {
        await new Promise(setImmediate)
        seen.push(`${plugin} 1`)
      })
      hooks[name].tap(plugin, () => void seen.push(`${plugin} 2`))
    }
    await call(runs({ a: tapBoth('a'), idle: () => {}, b: tapBoth('b') }), name)
    t.strictSame(seen, ['a 1', 'a 2', 'b 1', 'b 2'], name)
  }
})

t.test('passes the arguments of each hook', async t => {
  const seen: unknown[] = []
  const all = runs({
    a: hooks => {
      hooks.ready.tap('a', (...given) => void seen.push(given))
      hooks.down.tap('a', (...given) => void seen.push(given))
      hooks.loaded.tap('a', (...given) => void seen.push(given))
      hooks.booted.tap('a', (...given) => void seen.push(given))
    },
  })
  await all.ready(service)
  await all.down(service.project)
  await all.loaded(() => t.fail('it does not fail'))
  await all.booted(() => t.fail('it does not fail'))
  t.strictSame(seen, [[service], [service.project], [], []])
})

t.test('a failure names its plugin and stops no other', async t => {
  const bad: Readonly<Record<string, [(hooks: Hooks, name: (typeof series)[number]) => void, RegExp]>> = {
    throws: [
      (hooks, name) =>
        hooks[name].tap('x', () => {
          throw new Error('boom')
        }),
      /^plugin bad: hook '\w+' failed: boom$/,
    ],
    rejects: [(hooks, name) => hooks[name].tapPromise('x', () => Promise.reject('a text')), /: a text$/],
    'calls back with an error': [(hooks, name) => tapAsync(hooks, name, back => back(new Error('async'))), /: async$/],
    hangs: [
      (hooks, name) => hooks[name].tapPromise('x', () => new Promise(() => {})),
      /^plugin bad: hook '\w+' timed out after 0.1 s$/,
    ],
    'never calls back': [(hooks, name) => tapAsync(hooks, name, () => {}), /after 0.1 s$/],
  }
  for (const [what, [tap, message]] of Object.entries(bad)) {
    for (const name of what === 'throws' ? series : (['ready'] as const)) {
      let after = 0
      const all = runs({
        bad: hooks => tap(hooks, name),
        worse: hooks => hooks[name].tapPromise('y', () => Promise.reject(new Error('second'))),
        good: hooks => hooks[name].tap('z', () => void after++),
      })
      await t.rejects(call(all, name), { code: 'PLUGIN_HOOK', plugin: 'bad', message }, `${what} in ${name}`)
      t.equal(after, 1)
    }
  }
})

function tapAsync(hooks: Hooks, name: (typeof series)[number], run: (back: (error?: Error) => void) => void): void {
  if (name === 'closing') hooks.closing.tapAsync('x', run)
  else if (name === 'down') hooks.down.tapAsync('x', (_, back) => run(back))
  else hooks[name].tapAsync('x', (_, back) => run(back))
}

t.test('a failure keeps its hint', async t => {
  const fail = (error: LocaldError) =>
    runs({ bad: hooks => hooks.starting.tapPromise('bad', () => Promise.reject(error)) }).starting(service)
  await t.rejects(fail(new LocaldError('PORT_TAKEN', 'port 80 is taken', { hint: 'Free it.' })), {
    code: 'PLUGIN_HOOK',
    plugin: 'bad',
    message: "plugin bad: hook 'starting' failed: port 80 is taken",
    hint: 'Free it.',
  })
  const own = new LocaldError('PLUGIN_NEEDS', 'x', { plugin: 'other' })
  t.equal(await fail(own).catch(error => error), own, 'one that names its plugin is left as it is')
})

t.test('booted: a failure is reported, the others boot', async t => {
  const failures: string[] = []
  let booted = 0
  const all = runs({
    bad: hooks => hooks.booted.tapPromise('bad', () => Promise.reject(new Error('boom'))),
    hung: hooks => hooks.booted.tapPromise('hung', () => new Promise(() => {})),
    good: hooks => hooks.booted.tap('good', () => void booted++),
  })
  await all.booted((plugin, error) => failures.push(`${plugin}: ${error.message}`))
  t.equal(booted, 1)
  t.strictSame(failures, [
    "bad: plugin bad: hook 'booted' failed: boom",
    "hung: plugin hung: hook 'booted' timed out after 0.1 s",
  ])
})

t.test('project and env pass on the previous result', async t => {
  const all = runs({
    a: hooks => {
      hooks.project.tap('a', it => ({ ...it, domain: `a.${it.domain}` }))
      hooks.env.tapPromise('a', async (env, { name }, { lookup }) => ({ ...env, A: `${name} ${lookup('db', 'url')}` }))
    },
    b: hooks => {
      hooks.project.tapPromise('b', async it => ({ ...it, domain: `b.${it.domain}` }))
      hooks.env.tap('b', env => ({ ...env, B: `${env['A']}!` }))
    },
  })
  t.equal((await all.project(plan)).domain, 'b.a.shop.localhost')
  t.strictSame(await all.env({ X: '1' }, service, context), { X: '1', A: 'web db.url', B: 'web db.url!' })
  t.equal(await runs({}).project(plan), plan)
  t.equal(await untyped(undefined, 'project', all => all.project(plan)), plan, 'nothing returned: as it was')
  t.strictSame(await untyped(undefined, 'env', all => all.env({ X: '1' }, service, context)), { X: '1' })
})

/** A tap as a JavaScript plugin may write it: it returns what it likes. */
function untyped<T>(value: unknown, name: 'project' | 'env', use: (all: HookRuns) => Promise<T>): Promise<T> {
  return use(runs({ bad: hooks => Reflect.apply(hooks[name].tap, hooks[name], ['bad', () => value]) }))
}

t.test('validates what hooks return', async t => {
  for (const value of [null, 7, {}, { services: {} }, { services: [null] }, { services: [{ name: 'a' }] }]) {
    const message = "plugin bad: hook 'project' failed: no plan returned"
    await t.rejects(
      untyped(value, 'project', all => all.project(plan)),
      { code: 'PLUGIN_HOOK', plugin: 'bad', message },
    )
  }
  await t.rejects(
    untyped(null, 'env', all => all.env({}, service, context)),
    { code: 'PLUGIN_HOOK', message: /no environment returned$/ },
  )
  await t.rejects(
    untyped({ PORT: 80 }, 'env', all => all.env({}, service, context)),
    { code: 'PLUGIN_HOOK', message: /PORT is not a string$/ },
  )
})

t.test('the gate', async t => {
  let open = true
  const hooks = makeHooks(() => {
    if (!open) throw new Error('late')
  })
  hooks.ready.tap('a', () => {})
  open = false
  t.throws(() => hooks.ready.tap('a', () => {}), { message: 'late' })
  t.throws(() => hooks.project.tapPromise('a', async it => it), { message: 'late' })
  t.equal(hooks.ready.taps.length, 1)
})
