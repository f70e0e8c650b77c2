// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it looks for such text.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseArgs } from '../../../cli/args/parse.ts'
import { pluginCommands } from '../../../cli/args/plugin-commands.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { root, sourcesOf } from '../../lib/sources.ts'

/** Sources and pages, each with its name. */
const texts = [
  ...['kernel', 'plugins', 'cli'].flatMap(room => sourcesOf(room)),
  ...['README.md', ...readdirSync(join(root, 'docs')).map(page => join('docs', page))]
    .filter(file => file.endsWith('.md'))
    .map(file => ({ file, text: readFileSync(join(root, file), 'utf8') })),
]

/** Command lines that a person is told to type: in backticks (in a template, escaped ones), or as lines of a block. */
function commandsIn(text: string): readonly string[] {
  const blocks = text.split(/^```.*$/m).filter((_, index) => index % 2 === 1)
  const found = [
    ...text.matchAll(/\\`(?:sudo )?locald ([a-z][^`\\\n]*)\\`/g),
    ...text.matchAll(/(?<!\\)`(?:sudo )?locald ([a-z][^`$\n]*)(?<!\\)`/g),
    ...blocks.flatMap(block => [...block.matchAll(/^(?:sudo )?locald ([a-z][^\n#|&>]*)/gm)]),
  ]
  return found.map(([, words = '']) => words.replaceAll(/\$\{[^}]*\}/g, open).trim())
}

/** Stands for what is known only when it is said. */
const open = '<open>'

/** What is wrong with a command line, but for what it leaves open. */
async function complaintOf(line: string): Promise<string | undefined> {
  const words = line.split(/\s+/).filter(word => !/[…[\]<>]/.test(word))
  if (pluginCommands.some(({ name }) => name === words[0])) return undefined
  const error = await parseArgs(words).then(
    () => undefined,
    (thrown: unknown) => LocaldError.from(thrown),
  )
  if (error === undefined) return undefined
  const isGroup = error.message.endsWith('needs a subcommand')
  return (error.code === 'UNKNOWN_COMMAND' && !isGroup) || error.message.startsWith('unknown flag')
    ? error.message
    : undefined
}

t.test('every command that a hint or a page names is there', async t => {
  let count = 0
  for (const { file, text } of texts) {
    for (const line of commandsIn(text)) {
      count += 1
      const complaint = await complaintOf(line)
      if (complaint !== undefined) t.fail(`${file}: \`locald ${line}\`: ${complaint}`)
    }
  }
  t.ok(count > 150, `${count} command lines`)
})

t.test('one that is not is seen', async t => {
  const text = 'Run `sudo locald admin setup`, \\`locald up ${name}\\`.\n```sh\nlocald ping # yes\n```\n'
  t.strictSame(commandsIn(text), ['up <open>', 'admin setup', 'ping'])
  t.match(await complaintOf('debug port 80'), 'unknown command')
  t.match(await complaintOf('up --frobnicate'), 'unknown flag')
  t.equal(await complaintOf('run SERVICE -- CMD…'), undefined)
  t.equal(await complaintOf('db restore NAME'), undefined)
})
