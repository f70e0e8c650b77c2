import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { commands } from '../../cli/args/commands.ts'
import { pluginCommands } from '../../cli/args/plugin-commands.ts'
import { root } from '../lib/user.ts'
import { on } from './suite.ts'

const read = (file: string) => readFileSync(join(root, file), 'utf8')
const readme = read('README.md')

/** Code of a Markdown text in a language. */
function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, is, code = '']) =>
    is === language ? [code] : [],
  )
}

t.test('one command runs the example, one runs all tests', async t => {
  const tryIt = readme.slice(readme.indexOf('## Try it'), readme.indexOf('## Install'))
  const commands = blocks(tryIt, 'sh').map(code => code.split('#')[0]?.trim())
  t.same(commands, ['npm run example', 'npm test'])
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'))
  t.match(scripts, { example: 'bash examples/run', test: 'bash test/run' })
  for (const file of ['examples/run', 'test/run', '.ci/run']) {
    t.doesNotThrow(() => accessSync(join(root, file), constants.X_OK), `${file} can be run`)
  }
  t.match(read('.ci/run'), /^one .* example$[\s\S]*^tests$/m, 'both are what CI runs')
})

t.test('all commands in the README exist', async t => {
  const names = [
    ...commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...pluginCommands.map(({ name }) => name),
  ]
  const named = [...`${readme}${read('docs/commands.md')}`.matchAll(/`locald ([a-z][a-z -]*[a-z])/g)].map(
    ([, words]) => words ?? '',
  )
  for (const words of new Set(named))
    t.ok(
      names.some(name => `${words} `.startsWith(`${name} `)),
      `locald ${words}`,
    )
})

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

t.test('all links resolve, with their anchors', async t => {
  const docs = readdirSync(join(root, 'docs')).map(page => join('docs', page))
  const readmes = ['shop', 'notes'].map(name => `examples/${name}/README.md`)
  for (const file of ['README.md', 'CONTRIBUTING.md', 'bench/README.md', ...docs, ...readmes]) {
    for (const [, path = '', anchor] of read(file).matchAll(/\]\(([^)#]*)(?:#([^)]+))?\)/g)) {
      if (path.startsWith('http')) continue
      const target = path === '' ? file : join(dirname(file), path)
      if (!existsSync(join(root, target))) t.fail(`${file}: ${target}`)
      else if (anchor !== undefined) t.ok(anchorsOf(read(target)).includes(anchor), `${file}: ${target}#${anchor}`)
    }
  }
})

on('linux', 'the locald.toml of the README is valid', async (t, machine) => {
  const sandbox = machine.sandbox()
  const [toml = ''] = blocks(readme, 'toml')
  const folder = sandbox.project('shop', { 'locald.toml': toml })
  const ran = await sandbox.run(['config', 'check'], { cwd: folder })
  t.match(ran, { code: 0, stderr: '' })
})

on('linux', 'each example of docs/configuration.md is valid', async (t, machine) => {
  const sandbox = machine.sandbox()
  const pieces = blocks(read('docs/configuration.md'), 'toml').flatMap(block =>
    /^\[/m.test(block) ? [block] : block.split('\n').filter(line => line !== ''),
  )
  t.ok(pieces.length > 10)
  // A project that an example needs.
  sandbox.project('services', { 'locald.toml': '[project]\nname = "services"\n[services.events]\ncommand = "x"\n' })
  for (const [index, piece] of pieces.entries()) {
    const folder = sandbox.project(`p${index}`, { 'locald.toml': whole(piece), '.env.local': '' })
    t.match(await sandbox.run(['config', 'check'], { cwd: folder }), { code: 0 }, piece)
  }
})

/**
 * A piece of the page with what it takes for granted: a project, a service that it is about, and those it speaks of.
 */
function whole(piece: string): string {
  const isTable = /^\[/m.test(piece)
  const spoken = ['db', 'api', 'seed', 'cache', 'legacy'].filter(name => !piece.includes(`[services.${name}]`))
  return [
    piece.includes('[project]') ? '' : '[project]\nname = "x"',
    isTable ? piece : `[services.a]\ncommand = "x"\n${piece}`,
    ...spoken.map(name => `[services.${name}]\ncommand = "x"`),
  ].join('\n')
}
