// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it looks for such text.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commands } from '../../../cli/args/commands.ts'
import { parseArgs } from '../../../cli/args/parse.ts'
import { pluginCommands } from '../../../cli/args/plugin-commands.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { root, sourcesOf } from '../../lib/sources.ts'

/** Where pages are; the changelog is left out, as it names commands of its time. */
const pageFolders = ['docs', 'examples', 'bench', 'native', 'shim', 'packages']

function findPages(): readonly string[] {
  const below = pageFolders.flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.md') && !name.includes('node_modules'))
      .map(name => join(folder, name)),
  )
  return ['README.md', 'CONTRIBUTING.md', ...below]
}

/** Sources and pages, each with its name. */
const texts = [
  ...['kernel', 'plugins', 'cli', 'scripts'].flatMap(room => sourcesOf(room)),
  ...findPages().map(file => ({ file, text: readFileSync(join(root, file), 'utf8') })),
]

/** Stands for what is known at run time only. */
const open = '<open>'

/** The first words of commands: other strings that begin with `locald` are sentences. */
const firstWords = new Set([...commands, ...pluginCommands].map(({ name }) => name.split(' ')[0] ?? ''))

/** Returns command lines to type: in backticks (in a template, escaped ones), as a string, or as lines of a block. */
function findCommands(text: string): readonly string[] {
  const blocks = text.split(/^```.*$/m).filter((_, index) => index % 2 === 1)
  const found = [
    ...text.matchAll(/\\`(?:sudo )?locald ([a-z][^`\\\n]*)\\`/g),
    ...text.matchAll(/(?<!\\)`(?:sudo )?locald ([a-z][^`$\n]*)(?<!\\)`/g),
    ...[...text.matchAll(/'(?:sudo )?locald (([a-z]+)[^'`:&>\n]*)/g)].filter(([, , first = '']) =>
      firstWords.has(first),
    ),
    ...blocks.flatMap(block => [...block.matchAll(/^(?:\$ )?(?:sudo )?locald ([a-z][^\n#|&>]*)/gm)]),
  ]
  return found.map(([, words = '']) => words.replaceAll(/\$\{[^}]*\}/g, open).trim())
}

/** Returns why a command line is refused, apart from what it leaves open. */
async function findMistake(line: string): Promise<string | undefined> {
  const words = line.split(/\s+/).filter(word => !/[…[\]<>]/.test(word))
  const [first = '', second] = words
  const plugin = pluginCommands.find(({ name }) => name === first)
  if (plugin !== undefined) {
    // What a plugin's command takes is its own; its words are in its help.
    const isKnown =
      second === undefined ||
      second === '--help' ||
      second.startsWith('NAME') ||
      plugin.args.includes(second) ||
      plugin.subcommands?.some(({ name }) => name === second) === true
    return isKnown ? undefined : `unknown word '${second}' of '${first}'`
  }
  const error = await parseArgs(words).then(
    () => undefined,
    (thrown: unknown) => LocaldError.from(thrown),
  )
  if (error === undefined || error.message.endsWith('needs a subcommand')) return undefined
  const isMistake =
    error.code === 'UNKNOWN_COMMAND' || /^unknown flag|^unexpected argument|takes no value/.test(error.message)
  return isMistake ? error.message : undefined
}

t.test('every command that a hint or a page names parses', async t => {
  let count = 0
  for (const { file, text } of texts) {
    for (const line of findCommands(text)) {
      count += 1
      const mistake = await findMistake(line)
      if (mistake !== undefined) t.fail(`${file}: \`locald ${line}\`: ${mistake}`)
    }
  }
  t.ok(count > 250, `${count} command lines`)
})

t.test('reports a command line that does not parse', async t => {
  const text =
    "Run `sudo locald admin setup`, \\`locald up ${name}\\`, 'locald server restart'.\n```sh\n$ locald ping # yes\n```\n"
  t.strictSame(findCommands(text), ['up <open>', 'admin setup', 'server restart', 'ping'])
  t.match(await findMistake('debug port 80'), 'unknown command')
  t.match(await findMistake('admin frobnicate'), 'unknown command')
  t.match(await findMistake('admin setup --frobnicate'), 'unknown flag')
  t.match(await findMistake('ping web'), 'unexpected argument')
  t.match(await findMistake('db frobnicate'), 'unknown word')
  t.match(await findMistake('trust --systme'), 'unknown word')
  for (const line of ['run SERVICE -- CMD…', 'db restore NAME', 'trust --system', 'admin', 'logs -fn20']) {
    t.equal(await findMistake(line), undefined, line)
  }
})
