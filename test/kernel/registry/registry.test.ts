import { deepStrictEqual as same } from 'node:assert'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import {
  type CommonOptions,
  isAnswered,
  type ProcessTable,
  type ProjectPlan,
  type ProjectRef,
} from '../../../kernel/contract/plugin.ts'
import { repositoryOf, slugOf, worktreeBranch, worktreeIn } from '../../../kernel/registry/git-worktree.ts'
import { hostsOf } from '../../../kernel/registry/hostnames.ts'
import { isFree, Ports } from '../../../kernel/registry/ports.ts'
import { Registry } from '../../../kernel/registry/registry.ts'
import { moveRecords, Records, type ServiceRecord } from '../../../kernel/services/records/records.ts'
import { bootIn } from '../../../kernel/services/records/unread-records.ts'
import { readJson, writeAtomic } from '../../../kernel/system/files.ts'
import { folder } from '../../lib/log-model.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

/** A log that keeps what it was told. */
function heard(): {
  readonly lines: string[]
  info(text: string): void
  warn(text: string): void
  error(text: string): void
} {
  const lines: string[] = []
  const say = (text: string) => void lines.push(text)
  return { lines, info: say, warn: say, error: say }
}

/** A folder of a project below another. */
function project(parent: string, path: string): string {
  const at = join(parent, path)
  mkdirSync(at, { recursive: true })
  return at
}

function ref(path: string, name: string, domain = `${name}.localhost`): ProjectRef {
  return { name, path, domain }
}

const reserved = () => ['locald.localhost']

t.test('files', async t => {
  const dir = folder(t)
  const file = join(dir, 'new', 'x.json')
  writeAtomic(file, '{"a":1}')
  t.strictSame(readJson(file), { a: 1 })
  t.equal(statSync(file).mode & 0o777, 0o600)
  writeAtomic(file, 'é'.repeat(100_000))
  t.equal(readFileSync(file, 'utf8').length, 100_000)
  t.throws(() => readJson(file), SyntaxError)
  t.equal(readJson(join(dir, 'none')), undefined)
  execFileSync('mkfifo', [join(dir, 'pipe')])
  t.throws(() => readJson(join(dir, 'pipe')), /not a regular file/, 'a pipe is not waited for')
  rmSync(join(dir, 'pipe'))
  t.throws(() => readJson('/dev/zero'), /not a regular file/)
  mkdirSync(join(dir, 'folder'))
  writeFileSync(join(dir, 'folder', 'x'), '')
  t.throws(() => writeAtomic(join(dir, 'folder'), 'text'))
  t.strictSame(readdirSync(dir).sort(), ['folder', 'new'], 'a write that fails leaves nothing')
})

t.test('names', async t => {
  const common: CommonOptions = {
    workdir: undefined,
    port: undefined,
    env: {},
    envFile: [],
    dependsOn: {},
    healthCheck: undefined,
    readyTimeout: 1,
    restart: 'no',
    stopSignal: 'SIGTERM',
    stopTimeout: 1,
    watch: [],
  }
  const hosts = (services: Readonly<Record<string, string>>) => {
    const plan: ProjectPlan = {
      ...ref('/p', 'shop'),
      env: {},
      services: Object.entries(services).map(([name, type]) => ({ name, type, common, options: {} })),
      routes: [],
      files: [],
    }
    const isWeb = (type: string) => type === 'exec'
    return Object.fromEntries(plan.services.map(service => [service.name, hostsOf(service, plan, plan, isWeb)]))
  }
  t.strictSame(hosts({ web: 'exec', api: 'exec', db: 'postgres' }), {
    web: ['shop.localhost', 'web.shop.localhost'],
    api: ['api.shop.localhost'],
    db: [],
  })
  t.strictSame(hosts({ shop: 'exec', api: 'exec' }).shop, ['shop.localhost', 'shop.shop.localhost'])
  t.strictSame(hosts({ shop: 'exec', web: 'exec' }).shop, ['shop.shop.localhost'], 'web comes first')
  t.strictSame(hosts({ web: 'worker', api: 'exec' }).api, ['api.shop.localhost', 'shop.localhost'], 'the only one')
  t.strictSame(hosts({ api: 'exec', admin: 'exec' }), { api: ['api.shop.localhost'], admin: ['admin.shop.localhost'] })
})

t.test('git worktrees', async t => {
  const dir = folder(t)
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd, stdio: 'pipe' })
  const main = project(dir, 'main')
  git(main, 'init', '-q')
  git(main, 'commit', '-q', '--allow-empty', '-m', 'first')
  git(main, 'worktree', 'add', '-q', '-b', 'feature/New_Cart', join(dir, 'cart'))
  git(main, 'worktree', 'add', '-q', '--detach', join(dir, 'loose'))
  t.equal(worktreeBranch(main), undefined)
  t.equal(worktreeBranch(project(dir, 'cart/deep/inside')), 'feature-new-cart')
  t.equal(worktreeBranch(join(dir, 'loose')), 'loose')
  t.equal(worktreeBranch(dir), undefined)
  writeFileSync(join(project(dir, 'module'), '.git'), 'gitdir: ../main/.git/modules/module\n')
  t.equal(worktreeBranch(join(dir, 'module')), undefined, 'a submodule is none')
  writeFileSync(join(project(dir, 'odd'), '.git'), 'what is this')
  t.equal(worktreeBranch(join(dir, 'odd')), undefined)
  for (const path of ['/etc/passwd', '/dev/zero', join(dir, 'x'.repeat(300)), join(dir, 'nul\0')])
    t.equal(worktreeBranch(path), undefined, `${path.slice(-20)} is in none`)
  const evil = project(dir, 'evil/g/worktrees/y')
  writeFileSync(join(dir, 'evil/.git'), 'gitdir: g/worktrees/y\n')
  execFileSync('mkfifo', [join(evil, 'HEAD')])
  t.equal(worktreeBranch(join(dir, 'evil')), 'y', 'a HEAD that is a pipe is not waited for')
  rmSync(join(evil, 'HEAD'))
  symlinkSync('/dev/zero', join(evil, 'HEAD'))
  t.equal(worktreeBranch(join(dir, 'evil')), 'y', 'nor is one that never ends read')
  const registry = new Registry(join(dir, 'data'), quiet)
  t.match(registry.identify(ref(join(dir, 'cart'), 'shop'), []), {
    name: 'shop-feature-new-cart',
    domain: 'feature-new-cart.shop.localhost',
  })
  t.match(registry.identify(ref(main, 'shop'), []), { name: 'shop', domain: 'shop.localhost' })
  const foreign = project(dir, 'foreign')
  const other = new Registry(join(dir, 'other'), quiet)
  other.identify(ref(foreign, 'shop'), [])
  t.match(
    other.identify(ref(join(dir, 'cart'), 'shop'), []),
    { name: 'shop-feature-new-cart', domain: 'shop-feature-new-cart.localhost' },
    "beside the domain of another repository's project",
  )
  const api = project(dir, 'main/api')
  t.equal(registry.identify(ref(api, 'api', 'api.shop.localhost'), []).domain, 'api.shop.localhost', 'one repository')
  const forged = project(dir, 'forged')
  writeFileSync(join(forged, '.git'), readFileSync(join(dir, 'cart', '.git')))
  t.equal(repositoryOf(forged), undefined)
  const gitDir = join(main, '.git', 'worktrees', 'cart')
  t.strictSame(
    worktreeIn(join(dir, 'cart', 'api')),
    { gitDir, mainCheckout: api },
    'the same folder of the main checkout',
  )
  t.strictSame(worktreeIn(forged), { gitDir }, 'a forged worktree has no main checkout')
  t.equal(worktreeIn(main), undefined, 'a main checkout is none')
  t.equal(repositoryOf(join(dir, 'loose')), repositoryOf(main))
  t.equal(
    registry.identify(ref(forged, 'x', 'x.shop.localhost'), []).domain,
    'shop-feature-new-cart.localhost',
    'a forged worktree',
  )
  t.equal(slugOf('--жэ--'), 'copy')
  for (const form of ['NFC', 'NFD']) t.equal(slugOf('Größe Übung'.normalize(form)), 'gro-e-ubung', form)
  t.equal(slugOf(`${'a'.repeat(39)}-b`), 'a'.repeat(39))
})

t.test('identities', async t => {
  t.test('the same tomorrow, also for a daemon that starts anew', async t => {
    const dir = folder(t)
    const [one, two] = [project(dir, 'one'), project(dir, 'two')]
    const registry = new Registry(join(dir, 'data'), quiet)
    const first = registry.identify(ref(one, 'shop'), ['web'])
    const second = registry.identify(ref(two, 'shop'), ['web'])
    t.match(second, { name: 'shop-two', domain: 'shop-two.localhost' })
    const later = new Registry(join(dir, 'data'), quiet)
    t.strictSame(later.identify(ref(two, 'shop'), ['web']), second)
    t.strictSame(later.identify(ref(one, 'shop'), ['web']), first)
    t.match(later.identify(ref(one, 'store'), []), { name: 'store' }, 'a new name is a new name')
    t.match(later.get(one), { usedAt: /^\d{4}-.*Z$/, pinned: false })
  })

  t.test('clones are told apart by the folder in which they differ, never by the name they share', async t => {
    const dir = folder(t)
    const registry = new Registry(join(dir, 'data'), quiet)
    const nameOf = (path: string, name: string) => registry.identify(ref(project(dir, path), name), []).name
    t.equal(nameOf('shop', 'shop'), 'shop')
    t.equal(nameOf('fork/shop', 'shop'), 'shop-fork')
    t.equal(nameOf('mono/apps/docs', 'docs'), 'docs')
    t.equal(nameOf('other mono/apps/docs', 'docs'), 'docs-other-mono')
    t.equal(nameOf('mono/apps/docs/docs', 'docs'), 'docs-2')
    nameOf('one', 'store')
    t.match(registry.identify(ref(project(dir, 'store'), 'store'), []), {
      name: 'store-2',
      domain: 'store-2.localhost',
    })
    t.equal(nameOf('store/store', 'store'), 'store-3')
  })

  t.test('one whose folder is gone gives its name up, and gets another when it is back', async t => {
    const dir = folder(t)
    const [one, two] = [project(dir, 'one'), project(dir, 'two')]
    const registry = new Registry(join(dir, 'data'), quiet)
    registry.identify(ref(one, 'shop'), [])
    rmSync(one, { recursive: true })
    t.equal(registry.identify(ref(two, 'shop'), []).name, 'shop')
    project(dir, 'one')
    t.equal(registry.identify(ref(one, 'shop'), []).name, 'shop-one')
  })

  t.test('one that was moved keeps its ports and its pin', async t => {
    const dir = folder(t)
    const registry = new Registry(dir, quiet)
    const first = project(dir, 'first')
    registry.identify(ref(first, 'shop'), ['web'])
    registry.setPorts(first, { web: 20_001 })
    registry.pin(first, true)
    const copy = project(dir, 'copy')
    registry.identify(ref(copy, 'shop'), ['web'])
    t.equal(registry.port(copy, 'web'), undefined, 'a copy is another one')
    rmSync(copy, { recursive: true })
    rmSync(first, { recursive: true })
    const moved = project(dir, 'moved')
    t.strictSame(registry.identify(ref(moved, 'shop'), ['web']), ref(moved, 'shop'))
    t.equal(registry.port(moved, 'web'), 20_001)
    t.equal(registry.get(moved)?.pinned, true)
  })

  t.test("no domain is another's service, nor locald's own; names stay labels", async t => {
    const dir = folder(t)
    const registry = new Registry(join(dir, 'data'), quiet, reserved)
    registry.identify(ref(project(dir, 'a'), 'shop'), ['api'])
    t.equal(registry.identify(ref(project(dir, 'b'), 'x', 'api.shop.localhost'), []).domain, 'shop-api.localhost')
    registry.identify(ref(project(dir, 'c'), 'y', 'docs.store.localhost'), [])
    t.match(registry.identify(ref(project(dir, 'd'), 'store'), ['docs']), {
      name: 'store',
      domain: /^store-[a-z0-9-]+\.localhost$/,
    })
    t.not(registry.identify(ref(project(dir, 'locald'), 'locald'), []).domain, 'locald.localhost')
    const long = 'n'.repeat(63)
    registry.identify(ref(project(dir, 'e'), long), [])
    const name = registry.identify(ref(project(dir, `${'f'.repeat(50)}`), long), []).name
    t.ok(name.length <= 63, name)
  })

  t.test('no domain is below that of another project, whose cookies its pages could set', async t => {
    const dir = folder(t)
    const registry = new Registry(join(dir, 'data'), quiet, reserved)
    const domainOf = (path: string, name: string, domain?: string) =>
      registry.identify(ref(project(dir, path), name, domain), []).domain
    t.equal(domainOf('a', 'a'), 'a.localhost')
    t.equal(domainOf('b', 'b', 'sub.a.localhost'), 'a-sub.localhost')
    t.equal(domainOf('c', 'c', 'x.sub.a.localhost'), 'a-x-sub.localhost')
    t.equal(domainOf('d', 'd', 'sub.a.localhost'), 'a-sub-2.localhost')
    t.equal(domainOf('b', 'b', 'sub.a.localhost'), 'a-sub.localhost', 'the same tomorrow')
    t.equal(registry.get(join(dir, 'b'))?.name, 'b')
    t.equal(domainOf('e', 'e', 'deep.f.localhost'), 'deep.f.localhost')
    t.match(domainOf('f', 'f'), /^f-[a-z0-9-]+\.localhost$/, 'nor above it')
    t.match(domainOf('g', 'g', 'x.locald.localhost'), /^locald-x\.localhost$/)
  })

  t.test('a domain that an earlier version gave below another one is replaced, the name stays', async t => {
    const dir = folder(t)
    const [one, two] = [project(dir, 'one'), project(dir, 'two')]
    const entry = (path: string, name: string, domain: string) => ({
      ...ref(path, name, domain),
      wanted: { name: 'shop', domain: 'shop.localhost' },
      services: [],
      ports: { web: 20_001 },
      pinned: false,
      usedAt: '2026-01-01T00:00:00.000Z',
    })
    const projects = [entry(one, 'shop', 'shop.localhost'), entry(two, 'shop-two', 'two.shop.localhost')]
    writeAtomic(join(dir, 'data', 'registry.json'), JSON.stringify({ version: 1, projects }))
    const registry = new Registry(join(dir, 'data'), quiet)
    t.match(registry.identify(ref(one, 'shop'), []), { name: 'shop', domain: 'shop.localhost' })
    t.match(registry.identify(ref(two, 'shop'), []), { name: 'shop-two', domain: 'shop-two.localhost' })
    t.equal(registry.port(two, 'web'), 20_001)
  })

  t.test('no two projects that exist share a name or a domain', async () => {
    const dir = folder(t)
    const folders = ['one', 'two', 'three/one', 'four'].map(path => project(dir, path))
    const step = fc.oneof(
      fc.record({
        at: fc.nat(folders.length - 1),
        name: fc.constantFrom('shop', 'shop-one', 'one', 'locald'),
        domain: fc.constantFrom(undefined, 'shop.localhost', 'one.shop.localhost'),
        services: fc.subarray(['web', 'one', 'two']),
      }),
      fc.record({ gone: fc.nat(folders.length - 1) }),
      fc.constant('restart' as const),
    )
    let run = 0
    const property = fc.property(fc.array(step, { maxLength: 25 }), steps => {
      const data = join(dir, `data-${run++}`)
      let registry = new Registry(data, quiet, reserved)
      // Those that were seen since they (last) exist.
      const present = new Map<string, ProjectRef>()
      for (const step of steps) {
        if (step === 'restart') registry = new Registry(data, quiet, reserved)
        else if ('gone' in step) {
          const path = folders[step.gone] ?? ''
          rmSync(path, { recursive: true, force: true })
          present.delete(path)
        } else {
          const path = folders[step.at] ?? ''
          mkdirSync(path, { recursive: true })
          const got = registry.identify(ref(path, step.name, step.domain), step.services)
          present.set(path, got)
          const isBelowAnother = [...present].some(
            ([other, { domain }]) => other !== path && got.domain.endsWith(`.${domain}`),
          )
          same(isBelowAnother, false)
        }
        const refs = [...present.values()]
        same(new Set(refs.map(({ name }) => name)).size, refs.length)
        same(new Set(refs.map(({ domain }) => domain)).size, refs.length)
        same(
          refs.some(({ domain }) => domain === 'locald.localhost'),
          false,
        )
      }
    })
    fc.assert(property, { numRuns: 60 })
  })

  t.test('pinned and forgotten, also for a daemon that starts anew', async t => {
    const dir = folder(t)
    const [shop, other] = [project(dir, 'shop'), project(dir, 'other')]
    const registry = new Registry(dir, quiet)
    for (const [path, name] of [
      [shop, 'shop'],
      [other, 'other'],
    ] as const)
      registry.identify(ref(path, name), [])
    registry.pin(shop, true)
    registry.pin(join(dir, 'unknown'), true)
    registry.forget(other)
    registry.forget(join(dir, 'unknown'))
    registry.identify(ref(shop, 'shop'), ['web'])
    const next = new Registry(dir, quiet)
    t.match(next.list(), [{ path: shop, pinned: true, services: ['web'] }], 'an `up` leaves it pinned')
    t.equal(next.list().length, 1)
    next.pin(shop, false)
    t.match(new Registry(dir, quiet).list(), [{ path: shop, pinned: false }])
  })

  t.test('a damaged file is kept aside, and work goes on', async t => {
    for (const text of ['{', '[]', '{"projects":{}}', '{"projects":[{"name":"x"}]}', '{"projects":[null]}']) {
      const dir = folder(t)
      writeFileSync(join(dir, 'registry.json'), text)
      const log = heard()
      const registry = new Registry(dir, log)
      t.match(log.lines, [/could not be read .* kept as .*registry\.json\.damaged-/])
      const aside = readdirSync(dir).find(name => name.includes('damaged')) ?? ''
      t.equal(readFileSync(join(dir, aside), 'utf8'), text)
      registry.identify(ref(dir, 'shop'), [])
      t.equal(new Registry(dir, quiet).list().length, 1)
    }
  })

  t.test('a lost one learns what runs, with its ports, and changes nothing that it knows', async t => {
    const dir = folder(t)
    const registry = new Registry(dir, quiet)
    const shop = ref(dir, 'shop')
    const plan = { ...shop, services: [{ name: 'web' }] }
    registry.restore(shop, plan, { web: 20_001 })
    t.match(registry.get(dir), { ...shop, ports: { web: 20_001 }, services: ['web'] })
    t.equal(registry.identify(shop, ['web']).name, 'shop')
    registry.restore({ ...shop, name: 'other' }, plan, { web: 20_002 })
    t.match(new Registry(dir, quiet).get(dir), { ...shop, ports: { web: 20_001 } })
  })

  t.test('one that cannot be written is said, and work goes on', async t => {
    const dir = folder(t)
    const log = heard()
    const registry = new Registry(dir, log)
    mkdirSync(join(dir, 'registry.json'))
    t.equal(registry.identify(ref(dir, 'shop'), []).name, 'shop')
    t.match(log.lines, [/could not be written/])
  })
})

/** Listens until the test ends. */
async function listen(t: Test, port: number, host = '127.0.0.1'): Promise<Server> {
  const server = createServer().listen({ port, host, exclusive: true })
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server
}

/** A machine's worth of ports: a registry with some projects. */
function leases(t: Test, log = quiet) {
  const dir = folder(t)
  const registry = new Registry(join(dir, 'data'), log)
  const holder: Partial<ProcessTable> = { holder: async port => `python3 (pid ${port})` }
  const ports = new Ports(registry, { table: () => holder as ProcessTable, own: () => undefined })
  const known = (name: string) => registry.identify(ref(project(dir, name), name), [])
  return { dir, registry, ports, known }
}

const assigned = (service: string) => ({ service, fixed: undefined })

t.test('ports', async t => {
  t.test('of each service the same tomorrow, different ones for all', async t => {
    const { dir, ports, known } = leases(t)
    const [a, b] = [known('a'), known('b')]
    const first = await ports.lease(a, [assigned('web'), assigned('api'), { service: 'old', fixed: 3000 }])
    const [web = 0, api = 0] = [first.get('web'), first.get('api')]
    t.ok(web >= 20_000 && web < 30_000 && api >= 20_000 && api < 30_000 && web !== api)
    t.equal(first.get('old'), 3000)
    const later = new Ports(new Registry(join(dir, 'data'), quiet), { table: () => undefined, own: () => undefined })
    t.strictSame(
      await later.lease(a, [assigned('api'), assigned('web')]),
      new Map([
        ['api', api],
        ['web', web],
      ]),
    )
    const other = await ports.lease(b, [assigned('web')])
    t.notOk([web, api].includes(other.get('web') ?? 0))
  })

  t.test('one that somebody listens on, on either address, is not given', async t => {
    const { ports, known } = leases(t)
    const a = known('a')
    const port = (await ports.lease(a, [assigned('web')])).get('web') ?? 0
    const hosts = ['127.0.0.1', '0.0.0.0', '::1', '::']
    for (const host of hosts) {
      const server = await listen(t, port, host)
      t.equal(await isFree(port), false, host)
      await t.rejects(ports.check(port, 'a:web'), {
        code: 'PORT_TAKEN',
        message: `port ${port} of a:web is in use by python3 (pid ${port})`,
      })
      const closed = once(server, 'close')
      server.close()
      await closed
    }
    t.equal(await isFree(port), true)
    await listen(t, port)
    const other = await ports.reassign(a, 'web')
    t.not(other, port)
    t.strictSame(await ports.lease(a, [assigned('web')]), new Map([['web', other]]), 'and remembered')
  })

  t.test('one that can be bound is not free while somebody answers on either address, as macOS allows', async t => {
    const tests = (answering: string | undefined, unbindable?: string) => ({
      isBindable: async (host: string) => host !== unbindable,
      isTaken: async (host: string) => host === answering,
    })
    t.equal(await isFree(5000, tests('127.0.0.1')), false)
    t.equal(await isFree(5000, tests('::1')), false)
    t.equal(await isFree(5000, tests(undefined, '::1')), false)
    t.equal(await isFree(5000, tests(undefined)), true)
  })

  t.test('a server too busy to accept has its port', async t => {
    const serve = `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port))
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
    const busy = spawn(process.execPath, ['-e', serve], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => busy.kill('SIGKILL'))
    const [port] = await once(busy.stdout, 'data')
    const waiting = Array.from({ length: 4 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
    t.teardown(() => waiting.forEach(socket => void socket.destroy()))
    await Promise.all(waiting.slice(0, 1).map(socket => once(socket, 'connect')))
    t.equal(await isAnswered('127.0.0.1', Number(port)), true)
    busy.kill('SIGKILL')
    await once(busy, 'exit')
    t.equal(await isAnswered('127.0.0.1', Number(port)), false)
  })

  t.test('a part of the system on a fixed port is refused with what frees it', async t => {
    const dir = folder(t)
    const table: Partial<ProcessTable> = {
      holder: async () => 'AirPlay Receiver of macOS (ControlCenter, pid 412)',
      freeing: async () => 'Turn off AirPlay Receiver',
    }
    const ports = new Ports(new Registry(join(dir, 'data'), quiet), {
      table: () => table as ProcessTable,
      own: () => undefined,
    })
    const address = (await listen(t, 0)).address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    await t.rejects(ports.check(port, 'a:web'), {
      message: /in use by AirPlay Receiver of macOS/,
      hint: /^Turn off AirPlay Receiver, or give the service another `port`/,
    })
  })

  t.test('a listener of the daemon itself on a fixed port is named, with what moves it', async t => {
    const dir = folder(t)
    const address = (await listen(t, 0)).address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const listener = { name: "locald's own bell", hint: 'set BELL_PORT', port: () => port }
    const ports = new Ports(new Registry(join(dir, 'data'), quiet), {
      table: () => undefined,
      own: asked => (asked === port ? listener : undefined),
    })
    t.strictSame([ports.isHeld(port), ports.isHeld(port + 1)], [true, false])
    await t.rejects(ports.check(port, 'a:web'), {
      code: 'PORT_TAKEN',
      message: `port ${port} of a:web is in use by locald's own bell (pid ${process.pid})`,
      hint: 'Give the service another `port`, or set BELL_PORT.',
    })
  })

  t.test('one that another service runs on is not given, a fixed one is refused', async t => {
    const { ports, known } = leases(t)
    const a = known('a')
    const port = (await ports.lease(a, [assigned('web')])).get('web') ?? 0
    ports.hold(port, 'b:other')
    ports.hold(port, 'b:other')
    t.throws(() => ports.hold(port, 'a:web'), { code: 'PORT_TAKEN', message: /in use by service b:other/ })
    t.not((await ports.lease(a, [assigned('web')])).get('web'), port)
    ports.release(port, 'a:web')
    t.throws(() => ports.hold(port, 'a:web'), 'only its holder gives it back')
    ports.release(port, 'b:other')
    ports.hold(port, 'a:web')
  })

  t.test("a port that has become another's fixed one is given up", async t => {
    const { ports, known } = leases(t)
    const a = known('a')
    const port = (await ports.lease(a, [assigned('web')])).get('web') ?? 0
    const both = await ports.lease(a, [assigned('web'), { service: 'api', fixed: port }])
    t.equal(both.get('api'), port)
    t.not(both.get('web'), port)
  })

  t.test('many projects at once get different ones', async t => {
    const { ports, known } = leases(t)
    const refs = Array.from({ length: 12 }, (_, index) => known(`p${index}`))
    const all = await Promise.all(refs.map(ref => ports.lease(ref, ['a', 'b', 'c'].map(assigned))))
    const given = all.flatMap(leases => [...leases.values()])
    t.equal(new Set(given).size, 36)
  })
})

t.test('records', async t => {
  const record = (service: string, more: Partial<ServiceRecord> = {}): ServiceRecord => ({
    version: 1,
    path: '/p',
    service,
    state: { pid: 1 },
    ready: false,
    status: 'starting',
    reason: null,
    startedMs: 1,
    restarts: 0,
    port: 1,
    fingerprint: '',
    env: {},
    dir: '/p',
    ...more,
  })

  t.test('a new instance is on disk at once, news of it soon and once', async t => {
    const dir = folder(t)
    const records = new Records(dir, quiet)
    records.saveService(record('a'))
    t.match(new Records(dir, quiet).services(), [{ service: 'a', ready: false }])
    const [file = ''] = readdirSync(join(dir, 'services'))
    const { ino } = statSync(join(dir, 'services', file))
    for (let round = 0; round < 50; round++) records.saveService(record('a', { ready: true, restarts: round }))
    t.equal(statSync(join(dir, 'services', file)).ino, ino, 'not yet')
    const deadline = Date.now() + 10_000
    while (statSync(join(dir, 'services', file)).ino === ino && Date.now() < deadline)
      await new Promise(wake => setTimeout(wake, 20))
    t.match(new Records(dir, quiet).services(), [{ ready: true, restarts: 49 }])
    records.saveService(record('a', { state: null, status: 'failed' }))
    records.flush()
    t.match(new Records(dir, quiet).services(), [{ state: null, status: 'failed' }])
    records.saveService(record('a', { state: { pid: 2 } }))
    t.match(new Records(dir, quiet).services(), [{ state: { pid: 2 } }])
    records.saveService(record('a', { state: { pid: 2 }, ready: true }))
    records.dropService('/p', 'a')
    records.flush()
    t.strictSame(new Records(dir, quiet).services(), [], 'dropped with what was to be written')
  })

  t.test('what a file says already is not written again, also not by the next daemon', async t => {
    const dir = folder(t)
    const first = new Records(dir, quiet)
    first.saveService(record('a', { ready: true }))
    const [file = ''] = readdirSync(join(dir, 'services'))
    const inode = () => statSync(join(dir, 'services', file)).ino
    const before = inode()
    for (const records of [first, new Records(dir, quiet)]) {
      records.services()
      records.saveService(record('a', { ready: true }))
      records.flush()
      t.equal(inode(), before)
    }
    first.dropService('/p', 'a')
    first.saveService(record('a', { ready: true }))
    t.match(first.services(), [{ service: 'a' }], 'what was removed is')
  })

  t.test('what is no record is put aside, and said', async t => {
    const dir = folder(t)
    const log = heard()
    const records = new Records(dir, log)
    records.saveService(record('a'))
    for (const [name, text] of [
      ['x.json', '{'],
      ['y.json', '{"version":2}'],
      ['z.json', 'null'],
      ['.tmp', '{'],
    ] as const)
      writeFileSync(join(dir, 'services', name), text)
    t.equal(records.services().length, 1)
    t.equal(log.lines.length, 3)
    const aside = new Records(dir, quiet).unread.list()
    t.strictSame(aside.map(({ text }) => text).sort(), ['null', '{', '{"version":2}'], 'kept aside')
    t.strictSame(aside.map(({ id }) => id).sort(), ['x', 'y', 'z'])
    t.equal(new Records(dir, quiet).services().length, 1)
    t.equal(log.lines.length, 3, 'once')
  })

  t.test('belong to this boot or an earlier one; a corrupt one expires with its boot', async t => {
    const dir = folder(t)
    const of = (boot: string | undefined) => Object.assign(new Records(dir, quiet), { boot })
    of(undefined).saveService(record('old'))
    of('a').saveService(record('a'))
    of('b').saveService(record('b'))
    const current = (boot: string | undefined) =>
      of(boot)
        .services()
        .filter(it => of(boot).isCurrent(it.boot))
        .map(({ service }) => service)
        .sort()
    t.strictSame(current('b'), ['b', 'old'], 'what says nothing may run')
    t.strictSame(current('a'), ['a', 'old'])
    t.strictSame(current(undefined), ['a', 'b', 'old'], 'nor is anything ended where the present start is not known')
    writeFileSync(join(dir, 'services', 'x.json'), '{"version":2,"boot":"a","state":')
    of('b').services()
    const [aside] = of('b').unread.list()
    t.match(aside && [bootIn(aside), of('a').isCurrent(bootIn(aside)), of('b').isCurrent(bootIn(aside))], [
      'a',
      true,
      false,
    ])
  })

  t.test('what is no file is put aside as well, and waited for by no one', async t => {
    const dir = folder(t)
    const records = new Records(dir, quiet)
    records.saveService(record('a'))
    mkdirSync(join(dir, 'services', 'folder.json'))
    execFileSync('mkfifo', [join(dir, 'services', 'pipe.json')])
    t.match(records.services(), [{ service: 'a' }])
    t.strictSame(
      records.unread
        .list()
        .map(({ id, text }) => [id, text])
        .sort(),
      [
        ['folder', ''],
        ['pipe', ''],
      ],
    )
    records.clear()
    t.strictSame([records.services(), records.unread.list()], [[], []])
  })

  t.test('those of an earlier version, in the runtime folder, are moved', async t => {
    const dir = folder(t)
    const [runtime, to] = [join(dir, 'run'), join(dir, 'data', 'running')]
    new Records(runtime, quiet).saveService(record('a', { restarts: 3 }))
    new Records(to, quiet).saveService(record('a'))
    moveRecords(runtime, to, quiet)
    t.match(new Records(to, quiet).services(), [{ service: 'a', restarts: 3 }])
    t.notOk(existsSync(join(runtime, 'services')))
    moveRecords(runtime, to, quiet)
    t.equal(new Records(to, quiet).services().length, 1)
  })

  t.test('one that cannot be written costs nothing but itself', async t => {
    const dir = folder(t)
    const log = heard()
    const records = new Records(dir, log)
    rmSync(join(dir, 'services'), { recursive: true })
    writeFileSync(join(dir, 'services'), '')
    records.saveService(record('a'))
    t.match(log.lines, [/could not be written/])
  })
})
