import t from 'tap'
import { applyEdit, type Edit } from '../../../cli/edit/edit.ts'
import type { TomlValue } from '../../../cli/init/toml.ts'

function add(name: string, entries: Readonly<Record<string, TomlValue>> = { command: 'x' }): Edit {
  const list = Object.entries(entries).map(([key, value]) => ({ key, value }))
  return { kind: 'add', section: { header: ['services', name], entries: list } }
}

function set(path: string, value: TomlValue): Edit {
  return { kind: 'set', path: path.split('.'), value }
}

function remove(path: string): Edit {
  return { kind: 'remove', path: path.split('.') }
}

const block = '[services.new]\ncommand = "x"'

/** Name, text, edit, expected text. */
const cases: readonly [string, string, Edit, string | undefined][] = [
  ['an empty file', '', add('new'), `${block}\n`],
  ['a file of comments', '# hello\n', add('new'), `# hello\n\n${block}\n`],
  [
    'a directive above the first table',
    '#:schema ./x.json\n[services.web]\na = 1\n',
    set('project.name', 'a'),
    '#:schema ./x.json\n[project]\nname = "a"\n\n[services.web]\na = 1\n',
  ],
  [
    'a directive and a comment above the first table',
    '#:schema ./x.json\n# web\n[services.web]\na = 1\n',
    set('project.name', 'a'),
    '#:schema ./x.json\n[project]\nname = "a"\n\n# web\n[services.web]\na = 1\n',
  ],
  [
    'a directive above the only table, which has no empty line',
    '#:schema ./x.json\n[services.web]\na = 1\n',
    add('new'),
    `#:schema ./x.json\n[services.web]\na = 1\n\n${block}\n`,
  ],
  ['no final line break', '[services.web]\na = 1', add('new'), `[services.web]\na = 1\n\n${block}`],
  [
    'a table follows',
    '[services.web]\na = 1\n\n[env]\nb = 1\n',
    add('new'),
    `[services.web]\na = 1\n\n${block}\n\n[env]\nb = 1\n`,
  ],
  [
    'lines of Windows',
    '[services.web]\r\na = 1\r\n',
    add('new'),
    `[services.web]\r\na = 1\r\n\r\n${block.replace('\n', '\r\n')}\r\n`,
  ],
  ['a byte order mark', '\uFEFF[services.web]\na = 1\n', add('new'), `\uFEFF[services.web]\na = 1\n\n${block}\n`],
  ['a byte order mark alone', '\uFEFF', add('new'), `\uFEFF${block}\n`],
  [
    'a comment right below',
    '[services.web]\na = 1 # one\n# b = 2\n\n# env\n[env]\n',
    add('new'),
    `[services.web]\na = 1 # one\n# b = 2\n\n${block}\n\n# env\n[env]\n`,
  ],
  [
    'a comment of the next table',
    '[project]\nname = "a"\n\n[services.web]\na = 1\n# env\n[env]\n',
    add('new'),
    `[project]\nname = "a"\n\n[services.web]\na = 1\n\n${block}\n\n# env\n[env]\n`,
  ],
  [
    'comments at the end',
    '[services.web]\na = 1\n\n# later\n# more',
    add('new'),
    `[services.web]\na = 1\n\n${block}\n\n# later\n# more`,
  ],
  [
    'a comment at the very end',
    '[services.web]\na = 1\n# more',
    add('new'),
    `[services.web]\na = 1\n# more\n\n${block}`,
  ],
  [
    'no empty lines',
    '[project]\nname = "a"\n[services.web]\na = 1\n[routes]\n"/a" = "b"\n',
    add('new'),
    `[project]\nname = "a"\n[services.web]\na = 1\n${block}\n[routes]\n"/a" = "b"\n`,
  ],
  [
    'no service',
    '[project]\nname = "a"\n\n[routes]\n"/a" = "b"\n',
    add('new'),
    `[project]\nname = "a"\n\n${block}\n\n[routes]\n"/a" = "b"\n`,
  ],
  [
    'only what comes later',
    '# routes\n[routes]\n"/a" = "b"\n',
    add('new'),
    `${block}\n\n# routes\n[routes]\n"/a" = "b"\n`,
  ],
  ['a head comment', '# mine\n\n[routes]\n"/a" = "b"\n', add('new'), `# mine\n\n${block}\n\n[routes]\n"/a" = "b"\n`],
  [
    'subtables',
    '[services.web]\na = 1\n\n[services.web.env]\nB = "c"\n',
    add('new'),
    `[services.web]\na = 1\n\n[services.web.env]\nB = "c"\n\n${block}\n`,
  ],
  [
    'indentation',
    '[services]\n  [services.web]\n    a = 1\n',
    add('new', { a: 1, b: [2] }),
    '[services]\n  [services.web]\n    a = 1\n\n  [services.new]\n    a = 1\n    b = [2]\n',
  ],
  [
    'inline services',
    'services.web = { a = 1 } # it\n[env]\nA = "b"\n',
    add('new'),
    `services.web = { a = 1 } # it\n[env]\nA = "b"\n${block}\n`,
  ],
  [
    'dotted services',
    '[services]\nweb.a = 1\nweb.b = 2\n',
    add('new'),
    `[services]\nweb.a = 1\nweb.b = 2\n\n${block}\n`,
  ],
  [
    'one inline table',
    'services = { web = { a = 1 } }\n',
    add('new'),
    'services = { web = { a = 1 }, new = { command = "x" } }\n',
  ],
  ['an empty inline table', 'services = {}\n', add('new'), 'services = { new = { command = "x" } }\n'],
  [
    'a multi-line value at the end',
    "[services.web]\na = '''\n[services.x]\n'''\n",
    add('new'),
    `[services.web]\na = '''\n[services.x]\n'''\n\n${block}\n`,
  ],
  ['a name that exists', '[services.new]\na = 1\n', add('new'), undefined],
  ['a name in other words', '[services]\n"new".a = 1\n', add('new'), undefined],
  ['services that are no table', 'services = 1\n', add('new'), undefined],
  ['a list of services', '[[services]]\na = 1\n', add('new'), undefined],
  ['no TOML', '[services\n', add('new'), undefined],
  [
    'a name that needs quotes',
    '[services.web]\na = 1\n',
    add('a b'),
    '[services.web]\na = 1\n\n[services."a b"]\ncommand = "x"\n',
  ],
  [
    'a text of several lines',
    '[services.web]\r\na = 1\r\n',
    add('new', { command: 'a\nb' }),
    '[services.web]\r\na = 1\r\n\r\n[services.new]\r\ncommand = """\r\na\r\nb"""\r\n',
  ],
  [
    'a value',
    '[services.web]\nport = 1 # one\nb = 2\n',
    set('services.web.port', 2000),
    '[services.web]\nport = 2000 # one\nb = 2\n',
  ],
  [
    'the quotes of a value',
    "[services.web]\ncommand = 'a' \nb = 'c'\n",
    set('services.web.command', 'x "y"'),
    "[services.web]\ncommand = 'x \"y\"' \nb = 'c'\n",
  ],
  [
    'quotes that it cannot have',
    "[services.web]\ncommand = 'a'\n",
    set('services.web.command', "it's"),
    '[services.web]\ncommand = "it\'s"\n',
  ],
  [
    'a text of several lines in its place',
    '[services.web]\na = """\nx\n""" # c\nb = 1\n',
    set('services.web.a', 1),
    '[services.web]\na = 1 # c\nb = 1\n',
  ],
  [
    'an array with comments',
    '[services.web]\na = [\n  1, # one\n]\nb = 1\n',
    set('services.web.a', ['x']),
    '[services.web]\na = ["x"]\nb = 1\n',
  ],
  [
    'a value in an inline table',
    'services.web = { port = 1, b = 2 }\n',
    set('services.web.port', 3),
    'services.web = { port = 3, b = 2 }\n',
  ],
  ['a value by a dotted key', '[services]\nweb.port = 1\n', set('services.web.port', 3), '[services]\nweb.port = 3\n'],
  [
    'a value by quoted keys',
    '["services"."web"]\n"port" = 1\n',
    set('services.web.port', 3),
    '["services"."web"]\n"port" = 3\n',
  ],
  [
    'a new key',
    '[services.web]\n  a = 1 # one\n# end\n',
    set('services.web.port', 3),
    '[services.web]\n  a = 1 # one\n  port = 3\n# end\n',
  ],
  ['a new key at the end', '[services.web]\na = 1', set('services.web.port', 3), '[services.web]\na = 1\nport = 3'],
  [
    'a new key in an empty table',
    '[services.web] # w\n\n[env]\n',
    set('services.web.port', 3),
    '[services.web] # w\nport = 3\n\n[env]\n',
  ],
  [
    'a new key in an inline table',
    'services.web = { a = 1 }\n',
    set('services.web.port', 3),
    'services.web = { a = 1, port = 3 }\n',
  ],
  [
    'a new key after dotted ones',
    'services.web.a = 1\nservices.web.b = 2 # b\nservices.db.a = 1\n',
    set('services.web.port', 3),
    'services.web.a = 1\nservices.web.b = 2 # b\nservices.web.port = 3\nservices.db.a = 1\n',
  ],
  [
    'a new key after dotted ones in an inline table',
    'services = { web.a = 1 }\n',
    set('services.web.port', 3),
    'services = { web.a = 1, web.port = 3 }\n',
  ],
  [
    'a new key of a table that only its subtables make',
    '[services.web.env]\nA = "b"\n',
    set('services.web.port', 3),
    '[services.web.env]\nA = "b"\n\n[services.web]\nport = 3\n',
  ],
  [
    'a new key of a new table',
    '[services.web]\na = 1\n\n[services.db]\na = 1\n',
    set('services.web.env.A', 'b'),
    '[services.web]\na = 1\n\n[services.web.env]\nA = "b"\n\n[services.db]\na = 1\n',
  ],
  [
    'a new key of a new table in an inline table',
    'services.web = { a = 1 }\n',
    set('services.web.env.A', 'b'),
    'services.web = { a = 1, env = { A = "b" } }\n',
  ],
  ['a key of a table without a value', '[project]\nname = "a"\n', set('project.name.x', 1), undefined],
  ['a number without digits', '[a]\nb = 1\n', set('a.b', Number.POSITIVE_INFINITY), undefined],
  ['no change', '[project]\nname = "a"\n', set('project.name', 'a'), '[project]\nname = "a"\n'],
  [
    'a first table',
    '# mine\n[services.web]\na = 1\n',
    set('project.name', 'shop'),
    '[project]\nname = "shop"\n\n# mine\n[services.web]\na = 1\n',
  ],
  [
    'a removed line',
    '[services.web]\na = 1 # one\n# about b\nb = 2\n',
    remove('services.web.a'),
    '[services.web]\n# about b\nb = 2\n',
  ],
  ['a removed last line', '[services.web]\r\na = 1\r\nb = 2', remove('services.web.b'), '[services.web]\r\na = 1'],
  ['the first of an inline table', 'a = { b = 1 , c = 2 }\n', remove('a.b'), 'a = { c = 2 }\n'],
  ['the last of an inline table', 'a = { b = 1 , c = 2 }\n', remove('a.c'), 'a = { b = 1 }\n'],
  ['the only one of an inline table', 'a = { b = 1 } # x\n', remove('a.b'), 'a = {} # x\n'],
  ['what does not exist', '[services.web]\na = 1\n', remove('services.web.b'), undefined],
  ['a table of its own', '[services.web]\na = 1\n', remove('services.web'), undefined],
  [
    'TOML 1.1',
    'services = {\n  web = { a = 1, },\n}\n',
    add('new'),
    'services = {\n  web = { a = 1, }, new = { command = "x" },\n}\n',
  ],
]

for (const [name, text, edit, expected] of cases) {
  t.test(`${edit.kind}: ${name}`, async t => {
    t.equal(applyEdit(text, edit), expected)
  })
}
