import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import t from 'tap'
import { findProject, loadProject, type TypeSource } from '../../../../kernel/config/load.ts'
import { inferFolder } from '../../../../kernel/config/sources/inference.ts'
import { Trust } from '../../../../kernel/config/trust/trust.ts'
import { LocaldError, type ProjectDetector, type ProjectFolder } from '../../../../kernel/contract/index.ts'
import { failure, folder, types } from '../projects.ts'

function typesWith(...detectors: ProjectDetector[]): TypeSource {
  return { ...types, sources: [...detectors, ...types.sources] }
}

const trust = new Trust()

t.test('reads services of several files, each with its own file', async t => {
  const detector: ProjectDetector = {
    files: ['stack'],
    async detect({ read }) {
      return (await read('stack')) === undefined
        ? undefined
        : {
            file: 'stack',
            services: { web: { command: 'a', workdir: 'one' }, api: { command: 'b' }, job: { command: 'c' } },
            files: { web: 'one/part', api: 'two/part' },
            notes: ['one is the service web'],
          }
    },
  }
  const { root, places } = folder({ stack: '', 'one/part': '', 'two/part': '' })
  const from = typesWith({ ...detector, detect: at => detector.detect(bound(at)) })
  const { plan, values } = await loadProject(root, from, places)
  t.strictSame(plan.services.map(({ name }) => name).toSorted(), ['api', 'job', 'web'])
  for (const file of ['stack', 'one/part', 'two/part'])
    t.ok(plan.files.includes(join(root, file)), `${file} is watched`)
  const fileOf = new Map((await values()).map(({ key, file }) => [key, file]))
  t.equal(fileOf.get('services.web.command'), join(root, 'one/part'))
  t.equal(fileOf.get('services.api.command'), join(root, 'two/part'))
  t.equal(fileOf.get('services.job.command'), join(root, 'stack'))
  const inferred = await inferFolder(root, from, { trust, home: places.home })
  t.match(inferred, { path: root, file: 'stack', files: { web: 'one/part' }, notes: ['one is the service web'] })
  t.strictSame(inferred.services['web'], { command: 'a', workdir: 'one' })
})

/** The folder as an object whose functions can be taken apart. */
function bound(at: ProjectFolder): ProjectFolder {
  return {
    ...{ path: at.path, types: at.types, env: at.env },
    portOccupant: port => at.portOccupant(port),
    ...{ read: f => at.read(f), readNamed: f => at.readNamed(f), has: f => at.has(f), list: f => at.list(f) },
  }
}

t.test('tries fallbacks after the sources of all plugins', async t => {
  const fallback: ProjectDetector = {
    ...{ files: ['index.html'], isFallback: true },
    detect: async () => ({ file: 'index.html', services: { web: { command: 'fallback' } } }),
  }
  const { root, places } = folder({ Procfile: 'web: a\n' })
  const at = { trust, home: places.home }
  t.equal((await inferFolder(root, typesWith(fallback), at)).file, 'Procfile')
  const other = folder({})
  t.equal((await inferFolder(other.root, typesWith(fallback), at)).file, 'index.html')
})

t.test('reports why there is no project, with a locald.toml to write', async t => {
  const unsuitable: ProjectDetector = {
    files: ['go.mod'],
    detect: async () => ({
      reason: 'go.mod has no main package',
      example: { web: { command: 'go run ./cmd/"x"', ready_timeout: 120 } },
    }),
  }
  const { root, places } = folder({ 'go.mod': '' })
  const from = typesWith(unsuitable)
  const error = await failure(findProject(root, from))
  t.match(error, { code: 'CONFIG_NOT_FOUND', message: /above it; go\.mod has no main package$/ })
  const [, toml = ''] = error.hint?.split('\n\n[project]') ?? []
  t.strictSame(structuredClone(parse(`[project]${toml}`)), {
    project: { name: 'shop' },
    services: { web: { command: 'go run ./cmd/"x"', ready_timeout: 120 } },
  })
  t.match(await failure(inferFolder(root, from, { trust, home: places.home })), { message: error.message })
  const plain = typesWith({ ...unsuitable, detect: async () => ({ reason: 'x is y' }) })
  t.equal((await failure(findProject(root, plain))).hint, 'Create a `locald.toml` or a `Procfile`.')
  t.match(await failure(inferFolder(join(root, 'none'), types, { trust, home: '/' })), { code: 'CONFIG_NOT_FOUND' })
})

t.test('reads a project once, to find it and to load it', async t => {
  const { root, places } = folder({ x: '' })
  let count = 0
  const from = typesWith({
    files: ['x'],
    detect: async () => ({ file: 'x', services: { [`web${++count}`]: { command: 'serve' } } }),
  })
  const found = await findProject(root, from)
  const { plan } = await loadProject(found.root, from, places, found)
  t.strictSame(
    plan.services.map(({ name }) => name),
    ['web1'],
  )
})

t.test('finds the project that a folder above is, within the repository', async t => {
  const { root } = folder({
    'shop/.git/x': '',
    'shop/Procfile': 'web: a\n',
    'shop/api/Procfile': 'web: b\n',
    'shop/api/src/x': '',
    'shop/src/deep/x': '',
    'shop/module/.git/x': '',
    'shop/module/src/x': '',
    'shop/broken/bad': '',
    'shop/broken/src/x': '',
  })
  const find = async (inner: string, from = types) => (await findProject(join(root, 'shop', inner), from)).root
  t.equal(await find('src/deep'), join(root, 'shop'))
  t.equal(await find('api/src'), join(root, 'shop/api'))
  t.match(await failure(find('module/src')), { code: 'CONFIG_NOT_FOUND' })
  const unsuitable = typesWith({
    files: ['x'],
    detect: async at => ((await at.has('x')) ? { reason: 'x is y' } : undefined),
  })
  t.match(await failure(find('src/deep', unsuitable)), { message: /x is y$/ }, 'it may be a project of its own')
  const broken = typesWith({
    files: ['bad'],
    detect: async at => {
      if (await at.has('bad')) throw new Error('broken')
      return undefined
    },
  })
  t.match(await failure(find('broken/src', broken)), { code: 'CONFIG_NOT_FOUND' }, 'none further up stands for it')
})

t.test('names the project that a folder above is where it may be another one', async t => {
  const hintIn = async (inner: string) => (await failure(findProject(join(root, inner), types))).hint ?? ''
  const { root } = folder({
    'a b/Procfile': 'web: a\n',
    'a b/src/deep/x': '',
    'a b/own/.git/x': '',
    'a b/own/src/x': '',
  })
  t.match(await hintIn('a b/src/deep'), `Run \`locald up '${join(root, 'a b')}'\`: the project that its Procfile`)
  t.match(await hintIn('a b/own/src'), /^Change to the folder of a project/)
  t.match(await hintIn('.'), /^Change to the folder of a project/)
})

t.test('reports a fault of a detector with its file and line', async t => {
  const fault = (error: Error) => typesWith({ files: ['a.yaml'], detect: () => Promise.reject(error) })
  const { root, places } = folder({ 'a.yaml': '' })
  const message = async (error: Error) => (await failure(loadProject(root, fault(error), places))).message
  const problems = [{ file: 'b/c.json', line: 3, message: 'is not valid JSON' }]
  t.equal(await message(new LocaldError('CONFIG_INVALID', 'x', { problems })), 'b/c.json:3: is not valid JSON')
  t.equal(await message(new Error('broken')), 'a.yaml: broken')
  t.equal((await findProject(root, fault(new Error('broken')))).root, root, 'so that its error is shown')
})

t.test('shows detectors a folder without what lies outside of it', async t => {
  const { root, places } = folder({ 'a/file': 'inner', '../outside/file': 'outer', 'pack/x': '' })
  symlinkSync(join(root, '../outside'), join(root, 'link'))
  symlinkSync('a', join(root, 'near'))
  symlinkSync(root, join(root, 'a/loop'))
  mkdirSync(join(root, 'main.py'))
  const seen: Record<string, unknown> = {}
  const detector: ProjectDetector = {
    files: ['x'],
    async detect(at) {
      for (const path of ['a/file', 'near/file', 'link/file', '../outside/file', '/etc/passwd', 'a/../../outside/file'])
        Object.assign(seen, { [path]: [await at.read(path), await at.has(path)] })
      Object.assign(seen, { folder: await at.read('main.py'), none: await at.list('none') })
      Object.assign(seen, { list: await at.list('a'), above: await at.list('..'), linked: await at.list('link') })
      return undefined
    },
  }
  await failure(inferFolder(root, typesWith(detector), { trust, home: places.home }))
  t.strictSame(seen, {
    'a/file': ['inner', true],
    'near/file': ['inner', true],
    'link/file': [undefined, true],
    '../outside/file': [undefined, false],
    '/etc/passwd': [undefined, false],
    'a/../../outside/file': [undefined, false],
    folder: undefined,
    none: [],
    list: [
      { name: 'file', kind: 'file' },
      { name: 'loop', kind: 'other' },
    ],
    above: [],
    linked: [],
  })
})
