import t from 'tap'
import { applyEdit, type Edit } from '../../../cli/edit/edit.ts'
import { removeTable } from '../../../cli/edit/removal.ts'

function drop(path: string): Edit {
  return { kind: 'remove-table', path: path.split('.') }
}

/** Name, text, edit, expected text. */
const cases: readonly [string, string, Edit, string | undefined][] = [
  [
    'a table between others',
    '[services.a]\nb = 1\n\n# x, first\n# x, second\n[services.x] # x\nb = 1 # b\n# c = 2\n\n# y\n[services.y]\nb = 1\n',
    drop('services.x'),
    '[services.a]\nb = 1\n\n# y\n[services.y]\nb = 1\n',
  ],
  ['the first table', '[services.x]\na = 1\n\n\n[env]\nB = "c"\n', drop('services.x'), '[env]\nB = "c"\n'],
  [
    'a table below a directive',
    '#:schema ./x.json\n# x\n[services.x]\na = 1\n\n[env]\n',
    drop('services.x'),
    '#:schema ./x.json\n\n[env]\n',
  ],
  ['the last table', '[env]\na = 1\n\n[services.x]\nb = 1\n', drop('services.x'), '[env]\na = 1\n'],
  [
    'the last table without a line break',
    '[env]\r\na = 1\r\n\r\n[services.x]\r\nb = 1',
    drop('services.x'),
    '[env]\r\na = 1',
  ],
  ['the only table', '[services.x]\nb = 1', drop('services.x'), ''],
  [
    'a comment that stands apart',
    '[env]\na = 1\n\n# apart\n\n[services.x]\nb = 1\n\n# below\n\n[routes]\n',
    drop('services.x'),
    '[env]\na = 1\n\n# apart\n\n# below\n\n[routes]\n',
  ],
  ['no empty lines', '[env]\na = 1\n[services.x]\nb = 1\n[routes]\n', drop('services.x'), '[env]\na = 1\n[routes]\n'],
  [
    'an empty line above only',
    '[env]\na = 1\n\n[services.x]\nb = 1\n[routes]\n',
    drop('services.x'),
    '[env]\na = 1\n\n[routes]\n',
  ],
  [
    'a table with tables below it',
    '[services.x]\na = 1\n\n[services.x.env]\nB = "c"\n\n[services.x-2]\na = 1\n\n# of x\n[[services.x.list]]\nd = 1\n[[services.x.list]]\nd = 2\n[services.x.list.e]\nf = 1\n[routes]\n',
    drop('services.x'),
    '[services.x-2]\na = 1\n\n[routes]\n',
  ],
  ['a table that only its subtables make', '[services.x.env]\nA = "b"\n', drop('services.x'), ''],
  [
    'dotted keys between others',
    '[services]\nweb.a = 1\n# x\nx.a = 1 # one\nweb.b = 2\nx.env.A = "b"\nweb.c = 3\n',
    drop('services.x'),
    '[services]\nweb.a = 1\nweb.b = 2\nweb.c = 3\n',
  ],
  ['dotted keys at the top', 'services.x.a = 1\n"services".\'x\'.b = 2\na = 1\n', drop('services.x'), 'a = 1\n'],
  [
    'an inline table on a line',
    '[services]\nweb = { a = 1 }\n# x\nx = { a = 1, env = { B = "c" } } # x\ndb = {}\n',
    drop('services.x'),
    '[services]\nweb = { a = 1 }\ndb = {}\n',
  ],
  [
    'an inline table in another',
    'services = { web = { a = 1 }, x = { a = 1 }, db = {} } # all\n',
    drop('services.x'),
    'services = { web = { a = 1 }, db = {} } # all\n',
  ],
  [
    'dotted keys in an inline table',
    'services = { x.a = 1, web.a = 1, x.b = 2 }\n',
    drop('services.x'),
    'services = { web.a = 1 }\n',
  ],
  ['all of an inline table', 'services = { x.a = 1, x.b = 2 }\n', drop('services.x'), 'services = {}\n'],
  [
    'TOML 1.1',
    'services = {\n  web = {},\n  x = { a = 1, }, # x\n}\n',
    drop('services.x'),
    'services = {\n  web = {}, # x\n}\n',
  ],
  [
    'headers in a text',
    '[services.web]\na = """\n[services.x]\n"""\n[services.x]\nb = \'\'\'\n[services.web]\n\'\'\'\n',
    drop('services.x'),
    '[services.web]\na = """\n[services.x]\n"""\n',
  ],
  ['a byte order mark', '\uFEFF[services.x]\na = 1\n\n[env]\n', drop('services.x'), '\uFEFF[env]\n'],
  ['a table that does not exist', '[services.web]\na = 1\n', drop('services.x'), undefined],
  ['a name that another begins with', '[services.xy]\na = 1\n', drop('services.x'), undefined],
  ['no TOML', '[services.x\n', drop('services.x'), undefined],
  [
    'empty lines in its place',
    '[env]\na = 1\n\n# x\n[services.x]\nb = [\n  1,\n]\n\n[services.x.env]\nC = "d"\n\n[routes]\n',
    { kind: 'remove-table', path: ['services', 'x'], keepsLines: true },
    `[env]\na = 1\n${'\n'.repeat(10)}[routes]\n`,
  ],
]

for (const [name, text, edit, expected] of cases) {
  t.test(name, async t => {
    t.equal(applyEdit(text, edit), expected)
  })
}

t.test('what was removed is named as it was written', async t => {
  const removed = (text: string) => {
    const { removed, line } = removeTable(text, ['services', 'x']) ?? {}
    return [line, removed]
  }
  t.strictSame(removed('[env]\n\n# x\n[services.x]\na = 1\n\n[routes]\n\n[services.x.env]\nB = "c"'), [
    4,
    '# x\n[services.x]\na = 1\n[services.x.env]\nB = "c"\n',
  ])
  t.strictSame(removed('services = { web = {}, x = { a = 1 } }\n'), [1, 'x = { a = 1 }\n'])
})
