import t from 'tap'
import { loadProject } from '../../../../kernel/config/load.ts'
import { failure, folder, load, problemLines, types } from '../projects.ts'
import { head, web, wrongFiles } from '../wrong-files/index.ts'

t.test('reports each mistake with line and key, and what was meant', async t => {
  for (const { title, text, problems: expected } of wrongFiles) {
    await t.test(title, async t => {
      const error = await failure(load({ 'locald.toml': text }))
      t.strictSame(problemLines(error.problems), expected)
      const file = error.problems[0]?.file ?? ''
      t.ok(file.endsWith('/work/shop/locald.toml'), 'names the file')
      for (const line of expected)
        t.ok(error.message.includes(line.replace(/^[0-9]+ [^:]*: /, '')), 'the message contains it')
    })
  }
})

t.test('reports all problems at once, sorted by file and line', async t => {
  const { root, places } = folder({
    'locald.toml': `${head}[services.web]\ncomand = "x"\nport = 0\n\n[services.api]\ntype = "vm"\ndepends_on = ["web"]\n`,
    '../.locald.toml': '[env]\nA = []\n[prject]\n',
  })
  const error = await failure(loadProject(root, types, places))
  t.equal(error.code, 'CONFIG_INVALID')
  t.equal(
    error.message,
    [
      'the configuration has 5 errors',
      '  ~/work/.locald.toml:2: env.A: must be a string, a number, or true or false, not an array',
      "  ~/work/.locald.toml:3: prject: unknown key; did you mean 'project'?",
      "  locald.toml:4: services.web.comand: unknown key; did you mean 'command'?",
      '  locald.toml:5: services.web.port: must be a whole number from 1 to 65535',
      "  locald.toml:8: services.api.type: type 'vm' is not available: Lima is not installed",
    ].join('\n'),
  )
  const inOne = await failure(load({ 'locald.toml': `${web}port = 0\nwatch = 1` }))
  t.match(inOne.message, /^locald\.toml has 2 errors\n {2}locald\.toml:5: services\.web\.port: /)
  const one = await failure(load({ 'locald.toml': `${web}port = 0` }))
  t.equal(one.message, 'locald.toml:5: services.web.port: must be a whole number from 1 to 65535')
})

t.test('has the code of the problems where they share one', async t => {
  const vm = await failure(load({ 'locald.toml': `${head}[services.vm]\ntype = "vm"\n` }))
  t.match(vm, { code: 'SERVICE_TYPE_UNSUPPORTED', service: 'vm', hint: 'brew install lima' })
  t.equal(vm.message, "service 'vm': type 'vm' is not available: Lima is not installed")
  const two = await failure(load({ 'locald.toml': `${head}[services.vm]\ntype = "vm"\n[services.b]\ntype = "bun"` }))
  t.equal(two.code, 'SERVICE_TYPE_UNSUPPORTED')
  const twins = await failure(load({ 'locald.toml': `${head}[services.vm]\ntype = "vm"\n[services.b]\ntype = "vm"` }))
  t.equal(twins.hint, 'brew install lima', 'a hint that several have is there once')
  t.strictSame(problemLines(two.problems), [
    "4 services.vm.type: type 'vm' is not available: Lima is not installed",
    "6 services.b.type: type 'bun' is not available: no plugin provides it",
  ])
  const cycle = `${web}depends_on = ["b"]\n[services.b]\ncommand = "x"\ndepends_on = ["c"]\n[services.c]\ncommand = "x"\ndepends_on = ["web"]\n`
  const round = await failure(load({ 'locald.toml': cycle }))
  t.equal(round.code, 'DEPENDENCY_CYCLE')
  t.equal(round.message, 'locald.toml:5: services.web.depends_on[0]: dependency cycle: web → b → c → web')
  t.equal((await failure(load({ 'locald.toml': `${cycle}port = 0` }))).code, 'CONFIG_INVALID')
})

t.test('finds the line of a key in every syntax of TOML', async t => {
  const text = `services.a.command = 1
"services".'b'."command" = 1
services.c = { command = 1 }
project = { name = "shop" }
[services.e]
command = 1
[services.e.health_check]
interval = 0
type = "tcp"
[[services.f]]
[services."g h"]
command = """
x"""
`
  const error = await failure(load({ 'locald.toml': text }))
  t.strictSame(problemLines(error.problems), [
    '1 services.a.command: must be a string',
    '2 services.b.command: must be a string',
    '3 services.c.command: must be a string',
    '6 services.e.command: must be a string',
    '8 services.e.health_check.interval: must be more than 0',
    '10 services.f: must be a table, not an array',
    `11 services."g h": a service's name must be 1 to 63 lower-case letters, digits or '-', with no '-' at either end`,
  ])
})

t.test('reports invalid TOML with line and column, without its text', async t => {
  const cases: readonly [string, string][] = [
    [`${head}a = `, '3 -: not valid TOML at column 5: invalid value'],
    [`${head}[env]\nA = "canary`, '4 -: not valid TOML at column 5: unfinished string'],
    ['A = canary', '1 -: not valid TOML at column 5: invalid value'],
    [`${head}name = "canary"`, '3 -: not valid TOML at column 1: trying to redefine an already defined table or value'],
    [
      'constructor = 1\n[__proto__]\na = "canary"',
      '1 -: not valid TOML at column 1: document contains an unsafe property',
    ],
    ['[__proto__]\na = "canary"', '1 -: not valid TOML at column 2: document contains an unsafe property'],
    [
      `a = ${'['.repeat(5000)}`,
      '1 -: not valid TOML at column 69: document contains excessively nested structures. aborting',
    ],
  ]
  for (const [text, message] of cases) {
    const error = await failure(load({ 'locald.toml': text }))
    t.equal(error.code, 'CONFIG_INVALID')
    t.strictSame(
      problemLines(error.problems).map(line => line.replace(/\.$/, '')),
      [message],
    )
    t.notMatch(JSON.stringify(error), 'canary')
  }
  const { root, places } = folder({ 'locald.toml': 'a', '../.locald.toml': 'b' })
  t.equal((await failure(loadProject(root, types, places))).problems.length, 2, 'of all files at once')
})

t.test('never puts a value into a message', async t => {
  const canary = 'canary-4711'
  const { root, places } = folder({
    '.env.local': `A=${canary}\n`,
    'locald.toml': `${head}[env]
A = "${canary}\${"
B = ["${canary}"]
C = "\${services.x.url}${canary}"
"bad name" = "${canary}"
[services.web]
command = ["${canary}"]
mode = "${canary}"
port = "${canary}"
restart = "${canary}"
ready_timeout = "${canary}"
stop_signal = "${canary}"
health_check = { type = "log", pattern = "(${canary}" }
unknown = "${canary}"
limits = { memory = "${canary}" }
[services.web.env]
A = { x = "${canary}" }
[services.api]
command = "x"
health_check = { type = "${canary}" }
[routes]
"/a" = ["${canary}"]
[plugins]
x = ["${canary}"]
`,
  })
  const error = await failure(loadProject(root, types, places))
  t.equal(error.problems.length, 17)
  t.notMatch(JSON.stringify(error), canary)
  t.notMatch(String(error.stack), canary)
})
