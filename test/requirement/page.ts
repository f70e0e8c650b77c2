/** Makes docs/platforms.md of the rows: `node build/test/requirement/page.js`. */
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
      '| asked | Linux | simulated Mac | only on a Mac |',
      '| --- | --- | --- | --- |',
      ...lines,
    ].join('\n')
  })
  return `# What the requirement asks, and which tests show it

This page is made from test/requirement/rows.ts by \`node build/test/requirement/page.js\`. Each test on it is there, and ran in the
last run of all tests without a skip or a failure: that run fails otherwise.

- **Linux**: on Linux as it is.
- **simulated Mac**: on Linux, with a daemon that is told it is on a Mac, keepers compiled as for macOS under the rules of its kernel,
  and stand-ins for launchd and the Keychain that answer as was measured or documented. \`(darwin)\` is such a pass.
- **only on a Mac**: scripts of the workflows (\`.ci/…\`) and steps of \`npm run test:mac\`. They are written and have run on Linux as far
  as it can; **no result from a Mac is recorded here yet**. [locald on a Mac](macos.md) says more.

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
