/** Generates docs/platforms.md from the rows: `node build/test/requirement/page.js`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from '../lib/user.ts'
import { type Row, rows } from './rows.ts'

export const page = join(root, 'docs', 'platforms.md')

const sections: readonly (readonly [section: Row['section'], title: string])[] = [
  ['2.1', 'What must work (2.1)'],
  ['2.2', 'Privileged operations (2.2)'],
  ['5', 'Success criteria (5)'],
]

/** The page. */
export function pageOf(all: readonly Row[]): string {
  const parts = sections.map(([section, title]) => {
    const lines = all.filter(row => row.section === section).map(lineOf)
    return [
      `## ${title}`,
      '',
      '| requirement | Linux | simulated Mac | only on a Mac |',
      '| --- | --- | --- | --- |',
      ...lines,
    ].join('\n')
  })
  return `# Requirements and tests

This page is generated from test/requirement/rows.ts by \`node build/test/requirement/page.js\`. Each test on it exists, and a run of all tests
fails if one of them fails or is skipped.

- **Linux**: on Linux.
- **simulated Mac**: on Linux, with a daemon in macOS mode, keepers compiled as for macOS under the rules of its kernel, and stand-ins for launchd
  and the Keychain that respond as measured or documented. \`(darwin)\` marks such a pass.
- **only on a Mac**: scripts of the workflows (\`.ci/…\`) and steps of \`npm run test:mac\`. They have run on Linux as far as possible; **no result
  from a Mac is recorded here yet**. See [locald on a Mac](macos.md).

${parts.join('\n\n')}
`
}

function lineOf({ asks, linux, mac, hardware, but }: Row): string {
  const cells = [linux, mac, hardware].map(list => list.map(cell).join('<br>') || '–')
  return `| ${asks}${but === undefined ? '' : `<br>**but**: ${but}`} | ${cells.join(' | ')} |`
}

/** A test as a link to its file, then its names. */
function cell(shown: string): string {
  const [file = '', ...names] = shown.split(' > ')
  if (!file.startsWith('test/')) return shown.startsWith('step ') ? shown : `\`${shown}\``
  const short = file.replace(/^test\//, '').replace(/\.test\.ts$/, '')
  return `[${short}](../${file})${names.length === 0 ? '' : `: ${names.join(' > ')}`}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, pageOf(rows))
