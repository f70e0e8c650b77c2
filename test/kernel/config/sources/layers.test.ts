import { rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { parse } from 'smol-toml'
import t from 'tap'
import {
  findProject,
  loadProject,
  projectSchema,
  readSettings,
  type TypeSource,
} from '../../../../kernel/config/load.ts'
import type { ProjectSource } from '../../../../kernel/contract/plugin.ts'
import { failure, folder, load, problemLines, types } from '../projects.ts'
import { head, web } from '../wrong-files/index.ts'

t.test('merges the commands of services, one key at a time', async t => {
  const own = (size: number) =>
    `args = { size = { type = "integer", default = ${size} }, note = { default = "-" } }\nconfirm = true\n`
  const fresh = `run = "seed \${size} \${note}"`
  const { root, places } = folder({
    '../../.locald.toml': `[services.web.commands.fresh]\n${own(1)}description = "Fill it"\nrun = "weak \${size} \${note}"\n[services.web.commands.mine]\nrun = "true"\n`,
    'locald.toml': `${web}[services.web.commands.fresh]\n${fresh}\nargs = { size = { default = 2 } }\n[services.web.commands.wipe]\nrun = "rm"\n`,
  })
  const { plan } = await loadProject(root, types, places)
  t.strictSame(plan.services[0]?.common.commands, {
    fresh: {
      ...{ run: `seed \${size} \${note}`, description: 'Fill it', confirm: true },
      args: { size: { type: 'integer', default: 2 }, note: { type: 'string', default: '-' } },
    },
    mine: { run: 'true', args: {}, confirm: false },
    wipe: { run: 'rm', args: {}, confirm: false },
  })
})

t.test('merges the layers from the weakest to the strongest', async t => {
  const files = {
    '../../.config/locald/config.toml':
      '[env]\nA = "settings"\nB = "settings"\nC = "settings"\nD = "settings"\n[plugins.proxy]\nhttp = 1\n[proxy]\nx = 1\n',
    '../../.locald.toml':
      '[env]\nB = "home"\nC = "home"\nD = "home"\nE = "home"\n[project]\ndomain = "home.localhost"\n',
    '../.locald.toml':
      '[env]\nC = "work"\nD = "work"\n[services.web]\nrestart = "always"\nwatch = ["a", "b"]\nenv = { X = "1", Y = "1" }\nhealth_check = { type = "http", path = "/x" }\n[services.other]\ncommand = 5\n',
    '.git/HEAD': '',
    'locald.workspace.toml':
      '[plugins]\nredis = "^1"\n[env]\nD = "workspace"\n[services.web]\nstop_timeout = 1\n[services.db]\ntype = "container"\nimage = "pg"\n',
    'locald.toml': `${web}watch = ["c"]\nenv = { Y = "2" }\nhealth_check = { type = "tcp" }\n[services.db]\ntype = "postgres"\n[env]\ntype = "x"\n`,
  }
  const { root, places } = folder(files)
  const { plan, pluginsNeeded, values } = await loadProject(root, types, places)
  t.strictSame(plan.env, { A: 'settings', B: 'home', C: 'work', D: 'workspace', E: 'home', type: 'x' })
  t.equal(plan.domain, 'home.localhost')
  t.strictSame(pluginsNeeded, { redis: '^1' })
  t.strictSame(
    plan.services.map(({ name }) => name),
    ['web', 'db'],
    'a weaker layer adds no service',
  )
  t.match(plan.services[0]?.common, {
    restart: 'always',
    watch: ['c'],
    env: { X: '1', Y: '2' },
    healthCheck: { type: 'tcp' },
    stopTimeout: 1000,
  })
  t.strictSame(plan.services[1]?.options, { version: '17' }, 'another type replaces all of a weaker table')
  t.strictSame(plan.files, [
    join(places.configDir, 'config.toml'),
    join(places.home, '.locald.toml'),
    join(root, '../.locald.toml'),
    join(root, 'locald.workspace.toml'),
    join(root, 'locald.toml'),
    join(root, '.env'),
  ])
  const found = new Map((await values()).map(({ key, value, file, line }) => [key, [value, file, line]]))
  t.strictSame(found.get('env.A'), ['settings', join(places.configDir, 'config.toml'), 2])
  t.strictSame(found.get('env.D'), ['workspace', join(root, 'locald.workspace.toml'), 4])
  t.strictSame(found.get('project.domain'), ['home.localhost', join(places.home, '.locald.toml'), 7])
  t.strictSame(found.get('services.web.watch'), [['c'], join(root, 'locald.toml'), 5])
  t.strictSame(found.get('services.web.env.X'), ['1', join(root, '../.locald.toml'), 7])
  t.strictSame(found.get('services.web.restart'), ['always', join(root, '../.locald.toml'), 5])
  t.strictSame(found.get('services.web.stop_signal'), ['SIGTERM', null, null])
  t.strictSame(found.get('services.web.tty'), [true, null, null])
  t.strictSame(found.get('services.web.type'), ['exec', null, null])
  t.notOk(found.has('proxy.x'))
  t.notOk(found.has('services.other.command'))
})

t.test('refuses a table in a layer where it does not belong', async t => {
  const { root, places } = folder({
    'locald.toml': web,
    '../.locald.toml': '[project]\nname = "x"\n[routes]\n"/a" = "web"\n[proxy]\n',
    '../../.config/locald/config.toml': '[prxy]\n[plugins.redis]\nanything = 1\n[routes]\n',
  })
  const error = await failure(loadProject(root, types, places))
  t.strictSame(problemLines(error.problems), [
    "1 prxy: unknown key; did you mean 'proxy'?",
    "4 routes: belongs in the project's own locald.toml",
    "2 project.name: belongs in the project's own locald.toml",
    "3 routes: belongs in the project's own locald.toml",
    "5 proxy: belongs in locald's own config.toml",
  ])
})

t.test('reports a wrong value of a weaker layer with its own file', async t => {
  const { root, places } = folder({ 'locald.toml': web, '../.locald.toml': '\n[services.web]\nport = "x"\n' })
  const error = await failure(loadProject(root, types, places))
  t.equal(error.message, '~/work/.locald.toml:3: services.web.port: must be a number from 1 to 65535, not a string')
})

t.test('reads the folders above a project, up to home', async t => {
  const { root, places } = folder({
    'locald.toml': web,
    '../../../.locald.toml': '[env]\nABOVE = "1"\n',
    '../.locald.toml': '',
  })
  t.teardown(() => rmSync(join(places.home, '..', '.locald.toml')))
  t.strictSame((await loadProject(root, types, places)).plan.env, {}, 'not above home')
  const elsewhere = { ...places, home: homedir() }
  t.strictSame((await loadProject(root, types, elsewhere)).plan.env, { ABOVE: '1' }, 'to the root of all outside home')
})

t.test('reads a project from a source where there is no locald.toml', async t => {
  const { plan, values } = await load({
    Procfile: 'web: node server.js\n',
    '../.locald.toml': '[services.web]\nport = 4000\n',
  })
  t.match(plan, {
    name: 'shop',
    domain: 'shop.localhost',
    services: [{ name: 'web', common: { port: 4000 }, options: { command: 'node server.js' } }],
  })
  t.ok(plan.files.some(file => file.endsWith('/Procfile')))
  t.ok(
    plan.files.some(file => file.endsWith('/locald.toml')),
    'may appear',
  )
  const value = (await values()).find(({ key }) => key === 'services.web.command')
  t.match(value, { file: /\/Procfile$/, line: null })
  const both = await load({ Procfile: 'web: a\n', 'locald.toml': head })
  t.strictSame(both.plan.services, [], 'locald.toml goes first')
  const wrong = await failure(load({ Procfile: 'web: a\nnonsense\n' }))
  t.match(wrong, { code: 'CONFIG_INVALID', message: 'Procfile:2: line 2 is no "name: command"' })
  const bad = await failure(load({ Procfile: 'Web_1: a\n' }))
  t.match(bad.message, /^Procfile: services\.Web_1: a service's name/)
  const json: ProjectSource = { file: 'package.json', read: text => JSON.parse(text) }
  const torn = await failure(load({ 'package.json': '{\n  "canary": canary\n}' }, { ...types, sources: [json] }))
  t.match(torn.message, /^package\.json:(2: )? ?is not valid JSON$/)
  t.notMatch(JSON.stringify(torn), 'canary')
  const none = await failure(load({ Procfile: '' }))
  t.match(none, {
    code: 'CONFIG_NOT_FOUND',
    hint: 'Change to the folder of a project, or create a `locald.toml` or a `Procfile`.',
  })
  const described = { ...json, description: 'a package.json with a `dev` script' }
  t.match(await failure(load({ Procfile: '' }, { ...types, sources: [...types.sources, described] })), {
    hint: 'Change to the folder of a project, or create a `locald.toml`, a `Procfile`, or a package.json with a `dev` script.',
  })
  for (const [name, label] of [
    ['My Shöp!', 'my-shop'],
    ['---', 'project'],
    [`${'x'.repeat(62)}--y`, 'x'.repeat(62)],
  ] as const) {
    const { root, places } = folder({ [`../${name}/Procfile`]: 'web: a\n' })
    t.equal((await loadProject(join(root, '..', name), types, places)).plan.name, label)
  }
})

t.test('finds the root of a project from any folder in it', async t => {
  const { root } = folder({
    'locald.toml': head,
    'a/b/c.txt': '',
    'a/Procfile': 'web: x\n',
    '../other/Procfile': 'web: x\n',
    '../bad/Procfile': 'x',
    '../none/x': '',
  })
  const find = async (path: string) => (await findProject(join(root, path), types)).root
  t.equal(await find('.'), root)
  t.equal(await find('a/b'), root)
  t.equal(await find('a'), root, 'a locald.toml above goes before a source')
  t.equal(await find('locald.toml'), root)
  t.equal(await find('../other'), join(root, '../other'))
  t.equal(await find('../bad'), join(root, '../bad'), 'so that its error is shown')
  t.match(await failure(find('../none')), { code: 'CONFIG_NOT_FOUND', message: new RegExp(join(root, '../none')) })
  t.match(await failure(find('../missing')), { code: 'CONFIG_NOT_FOUND' })
  t.match(await failure(loadProject(join(root, 'missing'), types, { configDir: '/none', home: '/none' })), {
    code: 'CONFIG_NOT_FOUND',
  })
  symlinkSync(root, join(root, '../link'))
  t.equal(await find('../link/a'), root, 'has one path')
})

t.test("reads locald's own settings", async t => {
  const { places } = folder({
    '../../.config/locald/config.toml':
      '[plugins.redis]\nport = 1\n[plugins.off]\nenabled = false\n[proxy]\nhttp = 8080\n[env]\nA = "1"\n',
  })
  t.strictSame(JSON.parse(JSON.stringify(await readSettings(places, ['proxy', 'other']))), {
    plugins: { redis: { port: 1 }, off: { enabled: false } },
    tables: { proxy: { http: 8080 }, other: {} },
  })
  const absent = folder({})
  t.strictSame(await readSettings(absent.places, ['proxy']), { plugins: {}, tables: { proxy: {} } })
  const wrong = folder({ '../../.config/locald/config.toml': 'proxy = 1\n[plugin.redis]\n' })
  const error = await failure(readSettings(wrong.places, ['proxy']))
  t.strictSame(problemLines(error.problems), [
    '1 proxy: must be a table, not a number',
    "2 plugin: unknown key; did you mean 'plugins'?",
  ])
})

t.test('reads the tables of plugins', async t => {
  const shape = {
    schema: {
      type: 'object',
      properties: { from: { type: 'string' }, retries: { type: 'integer', default: 3 } },
      additionalProperties: false,
    },
  } as const
  const project = [
    { name: 'mail', shape },
    { name: 'queue', shape, inherited: true },
  ]
  const from: TypeSource = { ...types, tables: { settings: ['proxy'], project } }
  const files = { 'locald.toml': `${web}[mail]\nfrom = "a"\n`, '../.locald.toml': '[queue]\nretries = 1\n' }
  const { plan } = await load(files, from)
  t.strictSame(plan.tables, { mail: { from: 'a', retries: 3 }, queue: { retries: 1 } }, 'defaults are filled in')
  t.equal((await load({ 'locald.toml': web }, from)).plan.tables, undefined)
  const wrong = folder({
    'locald.toml': `${web}[mail]\nretries = "x"\nfrm = "a"\n[mial]\n`,
    '../.locald.toml': '[mail]\n',
    '../../.config/locald/config.toml': '[queue]\n',
  })
  const error = await failure(loadProject(wrong.root, from, wrong.places))
  t.strictSame(problemLines(error.problems), [
    "1 queue: belongs in the project's own locald.toml",
    "1 mail: belongs in the project's own locald.toml",
    '6 mail.retries: must be a whole number',
    "7 mail.frm: unknown key; did you mean 'from'?",
    "8 mial: unknown key; did you mean 'mail'?",
  ])
  const validate = new Ajv({ strict: false }).compile(JSON.parse(JSON.stringify(projectSchema(from))))
  t.ok(validate(parse(`${web}[mail]\nfrom = "a"\n`)), 'the JSON schema knows them')
  t.notOk(validate(parse(`${web}[mail]\nfrom = 1\n`)))
})
