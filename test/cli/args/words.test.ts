import t from 'tap'
import { type CommandName, commands, families } from '../../../cli/args/commands.ts'
import { globalFlags } from '../../../cli/args/flags.ts'
import { hintForCommand, hintForFlag, otherTools } from '../../../cli/args/other-tools.ts'
import { type ParsedArgs, parseArgs } from '../../../cli/args/parse.ts'
import { pluginCommands } from '../../../cli/args/plugin-commands.ts'
import { destructiveCommands } from '../../../cli/args/suggestion.ts'
import { LocaldError } from '../../../kernel/errors.ts'

const parse = async (line: string): Promise<ParsedArgs> => await parseArgs(line.split(' '))

/** Returns the hint of a command line that is refused; undefined for one that parses. */
async function hintOf(line: string): Promise<string | undefined> {
  return await parse(line).then(
    () => undefined,
    (error: unknown) => LocaldError.from(error).hint ?? '',
  )
}

t.test('takes the words of other tools for its own commands', async t => {
  const aliases: readonly (readonly [typed: string, name: CommandName])[] = [
    ['down', 'stop'],
    ['ps', 'status'],
    ['ls', 'status'],
    ['exec', 'run'],
    ['start', 'up'],
    ['log', 'logs'],
    ['ui', 'dashboard'],
    ['tui', 'monitor'],
    ['top', 'monitor'],
  ]
  for (const [typed, name] of aliases) {
    const rest = name === 'run' ? ' web -- npm test' : ''
    const { command, ...more } = await parse(`${typed}${rest}`)
    const { command: own, ...same } = await parse(`${name}${rest}`)
    t.equal(command?.name, name, typed)
    t.equal(own?.name, name)
    t.strictSame(more, same)
    t.equal((await parse(`${typed} --help`)).command?.name, name)
    t.equal((await parse(`help ${typed}`)).command?.name, name)
  }
  t.equal((await parse('version')).flags.has('version'), true)
  t.equal((await parse('version --json')).flags.has('json'), true)
})

t.test('takes the flags of other tools', async t => {
  for (const line of [
    'up --wait --no-deps --open -d web',
    'up -f ../shop/locald.toml --env-file a --env-file b',
    '-C dir up',
    'up -Cdir',
    'logs -tfi --grep x',
    'logs --timestamps --ignore-case --no-color',
    'status -a',
    'doctor -v',
    'up -v',
  ])
    t.equal(await hintOf(line), undefined, line)
  t.strictSame((await parse('up --env-file a --env-file b')).values.get('env-file'), ['a', 'b'])
  t.strictSame((await parse('-C a -C b status')).values.get('directory'), ['a', 'b'])
  t.equal((await parse('doctor -v')).flags.has('version'), false)
  t.equal((await parse('doctor -v')).flags.has('verbose'), true)
})

t.test('hints at what to use where a word of other tools has no place', async t => {
  const known = new Set([...commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]), ...Object.keys(families)])
  for (const [words, hint] of otherTools.commandHints) {
    for (const word of words) {
      t.notOk(known.has(word), `${word} is a command: its hint is never printed`)
      t.equal(await hintOf(word), hint, word)
    }
  }
  for (const { flags, of = ['up', 'stop', 'status', 'logs'], hint } of otherTools.flagHints) {
    for (const name of of) {
      const spec = commands.find(command => command.name === name)
      const own = [...(spec?.flags ?? []), ...globalFlags].flatMap(flag => [`--${flag.name}`, `-${flag.short}`])
      for (const flag of flags.filter(each => !own.includes(each))) {
        const first = name === 'run' ? `run ${flag} web npm test` : `${name} ${flag}`
        t.ok([hint, hintForFlag(flag, name)].includes(await hintOf(first)), first)
      }
    }
  }
  t.equal(hintForCommand('up'), undefined)
})

t.test('a hint of each flag is reached', async t => {
  for (const { flags, of = [], hint } of otherTools.flagHints) {
    const commandNames = of.length > 0 ? of : [undefined, ...commands.map(({ name }) => name)]
    t.ok(
      flags.every(flag => commandNames.some(name => hintForFlag(flag, name) === hint)),
      flags.join(' '),
    )
  }
})

/** Returns all words that one keystroke makes of another: a letter left out, doubled, swapped, replaced or added. */
function misspell(word: string): readonly string[] {
  const typos: string[] = []
  for (let at = 0; at < word.length; at++) {
    const [before, letter, after] = [word.slice(0, at), word[at] ?? '', word.slice(at + 1)]
    typos.push(before + after, before + letter + letter + after)
    typos.push(`${before}${after[0] ?? ''}${letter}${after.slice(1)}`)
    for (const other of 'aest') typos.push(before + other + after, before + other + letter + after)
  }
  return [...new Set(typos)].filter(typo => typo !== word && /^[a-z][a-z -]*$/.test(typo))
}

t.test('suggests no command that stops or deletes something for any misspelt word', async t => {
  const names = [
    ...commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...pluginCommands.map(it => it.name),
  ]
  const firsts = [...destructiveCommands].map(name => name.split(' ').at(-1) ?? '')
  let suggested = 0
  for (const name of names) {
    for (const typo of misspell(name)) {
      const [, near] = /^Did you mean '([^']+)'/.exec((await hintOf(typo)) ?? '') ?? []
      if (near === undefined) continue
      suggested += 1
      if (firsts.includes(near)) t.fail(`${typo}: ${near}`)
    }
  }
  t.ok(suggested > 500, `${suggested} suggestions`)
  for (const flag of misspell('stop --all').filter(line => line.startsWith('stop -')))
    t.notMatch((await hintOf(flag)) ?? '', /--all/, flag)
})

t.test('knows every command that stops or deletes something', async t => {
  const verbs = /^(?:Stop|Delete|Remove|Forget|Undo|Uninstall|Reset|Drop|Prune)\b/
  for (const { name, about } of [...commands, ...pluginCommands])
    if (verbs.test(about)) t.ok(destructiveCommands.has(name), `${name}: ${about}`)
  const known = new Set<string>([...commands, ...pluginCommands].map(({ name }) => name))
  for (const name of destructiveCommands) t.ok(known.has(name), name)
})
