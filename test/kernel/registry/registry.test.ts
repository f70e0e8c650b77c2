import { deepStrictEqual as same } from 'node:assert'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { ProjectRef } from '../../../kernel/contract/plugin.ts'
import { Registry } from '../../../kernel/registry/registry.ts'
import { writeAtomic } from '../../../kernel/system/files.ts'
import { folder } from '../../lib/log-model.ts'
import { project, quiet, recordingLog, ref, reserved } from './projects.ts'

t.test('keeps name and domain, for the next daemon as well', async t => {
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

t.test('names clones by the folder in which they differ, never by the name they share', async t => {
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

t.test('frees the name of a deleted folder, which gets another one when it is back', async t => {
  const dir = folder(t)
  const [one, two] = [project(dir, 'one'), project(dir, 'two')]
  const registry = new Registry(join(dir, 'data'), quiet)
  registry.identify(ref(one, 'shop'), [])
  rmSync(one, { recursive: true })
  t.equal(registry.identify(ref(two, 'shop'), []).name, 'shop')
  project(dir, 'one')
  t.equal(registry.identify(ref(one, 'shop'), []).name, 'shop-one')
})

t.test('keeps ports and pin of a moved folder', async t => {
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

t.test("gives no domain that is another project's service or reserved; names stay labels", async t => {
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

t.test('gives no domain below that of another project, whose cookies its pages could set', async t => {
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

t.test('replaces a domain that an earlier version gave below another one; the name stays', async t => {
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

t.test('never gives two existing projects the same name or domain', async () => {
  const dir = folder(t)
  const folders = ['one', 'two', 'three/one', 'four'].map(path => project(dir, path))
  const step = fc.oneof(
    fc.record({
      at: fc.nat(folders.length - 1),
      name: fc.constantFrom('shop', 'shop-one', 'one', 'locald'),
      domain: fc.constantFrom(undefined, 'shop.localhost', 'one.shop.localhost'),
      services: fc.subarray(['web', 'one', 'two']),
    }),
    fc.record({ deleted: fc.nat(folders.length - 1) }),
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
      else if ('deleted' in step) {
        const path = folders[step.deleted] ?? ''
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

t.test('keeps what was pinned or forgotten, for the next daemon as well', async t => {
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

t.test('renames a corrupt file and starts empty', async t => {
  for (const text of ['{', '[]', '{"projects":{}}', '{"projects":[{"name":"x"}]}', '{"projects":[null]}']) {
    const dir = folder(t)
    writeFileSync(join(dir, 'registry.json'), text)
    const log = recordingLog()
    const registry = new Registry(dir, log)
    t.match(log.lines, [/could not be read .* kept as .*registry\.json\.damaged-/])
    const aside = readdirSync(dir).find(name => name.includes('damaged')) ?? ''
    t.equal(readFileSync(join(dir, aside), 'utf8'), text)
    registry.identify(ref(dir, 'shop'), [])
    t.equal(new Registry(dir, quiet).list().length, 1)
  }
})

t.test('restores running projects with their ports after the file was lost, and changes no known one', async t => {
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

t.test('logs that the file cannot be written, and continues', async t => {
  const dir = folder(t)
  const log = recordingLog()
  const registry = new Registry(dir, log)
  mkdirSync(join(dir, 'registry.json'))
  t.equal(registry.identify(ref(dir, 'shop'), []).name, 'shop')
  t.match(log.lines, [/could not be written/])
})
