/**
 * The table of tools in docs/frameworks.md is made from the code's. After a change of it,
 * `TAP_SNAPSHOT=1 npm test -- test/repository/frameworks-page.test.ts` writes it again.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Tool, tools } from '../../plugins/exec-runtime/port-flags/tools.ts'
import { markdownTable } from '../lib/markdown-table.ts'
import { root } from '../lib/sources.ts'

const file = join(root, 'docs', 'frameworks.md')

function commandsOf({ programs: [program = ''], commands, only, except = [] }: Tool): string {
  const all = commands?.map(each => `\`${program} ${each}\``) ?? [`\`${[program, only].filter(Boolean).join(' ')}\``]
  return [all.join(', '), ...except.map(each => `not \`${each}\``)].join(', ')
}

t.test('docs/frameworks.md has the table of tools', async t => {
  const rows = tools.map(tool => [tool.name, commandsOf(tool), `\`${tool.adds}\``])
  const table = markdownTable([['Tool', 'Commands', 'Appended'], ...rows])
  const text = readFileSync(file, 'utf8')
  const written = /^\| Tool +\| Commands[\s\S]*?\n(?=\n)/m.exec(text)?.[0] ?? ''
  t.not(written, '')
  if (process.env['TAP_SNAPSHOT'] === '1')
    writeFileSync(
      file,
      text.replace(written, () => `${table}\n`),
    )
  else t.equal(written, `${table}\n`)
})
