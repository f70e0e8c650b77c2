// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of commands, not of the language.
import { execFileSync, spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { commandWords, parseCommand } from '../../../../kernel/config/references/command-template.ts'

const shells = [['sh'], ['bash'], ['dash'], ['busybox', 'sh'], ['zsh', '--emulate', 'sh']].filter(
  ([program = '', ...args]) => spawnSync(program, [...args, '-c', ':']).status === 0,
)
/** Prints each of its words and a zero byte, which no word has. */
const show = String.raw`printf '%s\000'`

/** Runs a line in a shell with values of its arguments, and returns what it printed. */
function printed(shell: readonly string[], line: string, values: Readonly<Record<string, string>>): string {
  const template = parseCommand(line, Object.keys(values))
  if ('fault' in template) throw new Error(template.fault)
  const texts = template.names.map(name => (name.of === 'argument' ? (values[name.name] ?? '') : 'other'))
  const [, ...args] = commandWords(template, 'fresh', texts)
  const [program = 'sh', ...flags] = shell
  return execFileSync(program, [...flags, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: '/h' },
  })
}

function wordsOf(shell: readonly string[], line: string, values: Readonly<Record<string, string>>): readonly string[] {
  return printed(shell, `${show} ${line}`, values).split('\0').slice(0, -1)
}

/** What has broken templates of shells before. */
const hostile = [
  ...[
    "'; rm -rf ~'",
    '"; id; "',
    '$(id)',
    '`id`',
    '${HOME}',
    '$HOME',
    '\\',
    '\\"',
    "\\'",
    '$',
    '$$',
    '!!',
    '*',
    '?',
    '~',
  ],
  ...[
    'a  b',
    ' a ',
    '\n',
    'a\nb\n',
    '\t',
    '',
    '-n',
    '--',
    '#',
    '# x',
    '&',
    '|',
    ';',
    '>x',
    '<<EOF',
    '){',
    '}',
    '${x}',
    '\r',
    'ü€😀',
  ],
  ...["$'\\n'", '$((1+1))', '%s%n', '\x1b[2J', '\x7f', "'\"'\"'", 'a=b', '{a,b}', '[a-z]'],
]

/** Each line with the word that a value becomes. */
const lines: readonly (readonly [line: string, word: (value: string) => string])[] = [
  ['${v}', value => value],
  ['--size=${v}', value => `--size=${value}`],
  ['"${v}"', value => value],
  ['"a ${v} b"', value => `a ${value} b`],
  ["'a '${v}' b'", value => `a ${value} b`],
  ['"a "${v}" b"', value => `a ${value} b`],
  ['"$(printf "%s." ${v})"', value => `${value}.`],
  ['"$(printf "%s." "${v}")"', value => `${value}.`],
  ['"$(printf "%s)." "$(printf "%s" ${v}; printf ")")")"', value => `${value}))`.concat('.')],
  ['"it\'s ${v}"', value => `it's ${value}`],
  ['\\"${v}\\\'', value => `"${value}'`],
  ["'\"'${v}", value => `"${value}`],
  ['"${HOME:-"}"}"${v}', value => `/h${value}`],
  ['$((1 + 2))${v}', value => `3${value}`],
  ["`printf '\"'`${v}", value => `"${value}`],
]

t.test('a value stays one word, whatever is in it and wherever it stands', async t => {
  t.ok(shells.length >= 2, shells.join(' '))
  const values = Object.fromEntries(hostile.map((value, at) => [`v${at}`, value]))
  for (const shell of shells)
    for (const [line, word] of lines) {
      const all = Object.keys(values).map(name => `${show} ${line.replaceAll('{v}', `{${name}}`)}`)
      const words = printed(shell, all.join('\n'), values).split('\0').slice(0, -1)
      t.strictSame(words, hostile.map(word), `${shell.join(' ')}: ${line}`)
    }
})

t.test('values of any characters stay words of their own, beside each other', async t => {
  const text = fc.string({ unit: 'binary', maxLength: 12 }).filter(each => !/\0|\p{Surrogate}/u.test(each))
  const nasty = fc.oneof(fc.constantFrom(...hostile), text)
  for (const shell of shells) {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 11 }), all => {
        const values = Object.fromEntries(all.map((value, at) => [`v${at}`, value]))
        const names = Object.keys(values)
        const line = names.map(name => `\${${name}}`).join(' ')
        t.strictSame(wordsOf(shell, `${line} "${line}"`, values), [...all, all.join(' ')])
      }),
      { numRuns: 12 },
    )
  }
})

t.test("the rest of a line is the shell's", async t => {
  for (const shell of shells) {
    t.strictSame(wordsOf(shell, '$${HOME} $HOME ${HOME} ${HOME:-x} "$0" "$#" \\${v} ${v}', { v: 'x y' }), [
      ...['/h', '/h', '/h', '/h', 'fresh', '0', '${v}', 'x y'],
    ])
    t.equal(
      printed(shell, 'if ${flag}; then echo yes; fi; for x in ${v}; do echo "$x"; done # it\'s\necho ${v}', {
        v: 'a b',
        flag: 'true',
      }),
      'yes\na b\na b\n',
    )
    t.equal(
      printed(shell, 'x=${v}; (echo "$x"); case ${v} in a*) echo "$(echo ${v})";; esac', { v: 'a b' }),
      'a b\na b\n',
    )
    t.equal(
      printed(shell, 'sh -c \'echo "$LOCALD_ARG_1"\'; echo ${v} >/dev/null', { v: 'x' }),
      '\n',
      'no variable of programs',
    )
    t.equal(printed(shell, 'echo $${v:-none}', {}), 'none\n')
  }
  t.strictSame(parseCommand("echo $${a} '${b}'", []), {
    ...{ script: "echo ${a} '${b}'", names: [] },
  })
})

t.test('references of env are values, too', async t => {
  const line = 'x ${services.db.url} ${project.name} ${services.db.url} ${services.s3.ports.9001}'
  const parsed = parseCommand(line, [])
  t.strictSame(parsed, {
    script: 'x "${LOCALD_ARG_1}" "${LOCALD_ARG_2}" "${LOCALD_ARG_1}" "${LOCALD_ARG_3}"',
    names: [
      { of: 'service', service: 'db', field: 'url' },
      { of: 'project', field: 'name' },
      { of: 'service', service: 's3', field: 'ports.9001' },
    ],
  })
})

t.test('a reference where the quotes are not known is refused', async t => {
  const faults: Readonly<Record<string, RegExp>> = {
    "sh -c 'echo ${v}'": /in single quotes/,
    'echo `echo ${v}`': /in backquotes/,
    'echo ${HOME:-${v}}': /in another \$\{…\}/,
    '"${HOME:-"${v}"}"': /in another \$\{…\}/,
    'echo $((${v} + 1))': /in \$\(\(…\)\)/,
    'cat <<EOF\n${v}\nEOF': /here-document/,
    "echo $'it\\'s' ${v}": /\$'…'/,
    'echo "$(case a in a) echo ${v};; esac)"': /'case'/,
    "echo 'never closed ${v}": /in single quotes/,
    'echo ${services.db}': /column 6 that names nothing/,
    'echo ${services.db.url:-x}': /column 6 that names nothing/,
  }
  for (const [line, fault] of Object.entries(faults)) t.match(parseCommand(line, ['v']), { fault, hint: /\.$/ }, line)
})

t.test('a service of another project is a reference as one of the own', async t => {
  t.match(parseCommand('x ${projects.services.db.port} "${projects.a-b.web.ports.9001}" ${services.db.port}', []), {
    names: [
      { of: 'service', service: 'services:db', field: 'port' },
      { of: 'service', service: 'a-b:web', field: 'ports.9001' },
      { of: 'service', service: 'db', field: 'port' },
    ],
  })
  t.match(parseCommand('x ${projects.services}', []), { fault: /names nothing/ })
})
