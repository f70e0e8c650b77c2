/** `npm run test:mac` on a machine that is no Mac: its steps, its report, and that it leaves nothing. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { onlyLinux } from '../lib/machine.ts'
import { processList } from '../lib/process-list.ts'
import { Running, until } from '../lib/running.ts'
import { root } from '../lib/user.ts'
import { countOf, redacted, reportOf } from '../mac/report.ts'
import { steps } from '../mac/steps.ts'

const elsewhere = onlyLinux('a Mac runs all of it')

/** The program with a report and a folder of temporary files of its own. */
function start(t: Test, words: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'locald-mac-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const report = join(folder, 'report.md')
  const main = join(root, 'build', 'test', 'mac', 'main.js')
  const child = spawn(process.execPath, [main, '--report', report, ...words], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const isClean = () => {
    t.strictSame(readdirSync(folder), ['report.md'], 'no folder is left')
    t.strictSame(processList.naming(folder), [], 'nothing runs on')
  }
  const isBegun = () => processList.naming(folder).some(({ command }) => command.includes('kernel/daemon.js'))
  return { running: new Running(child, 110_000), text: () => readFileSync(report, 'utf8'), isBegun, isClean }
}

t.test('each step has its line in the report', { skip: elsewhere, timeout: 120_000 }, async t => {
  const { running, text, isClean } = start(t, ['--unattended'])
  const { code, stdout, stderr } = await running.done
  t.equal(code, 0, `${stdout}${stderr}`)
  for (const { id, title, onlyMac } of steps) {
    const outcome = onlyMac === true ? 'not here' : 'pass'
    t.match(text(), `| ${id} | ${title} | ${outcome} |`)
    t.match(text(), `## ${id}: ${outcome}`)
  }
  t.match(text(), /COLOUR=blue/, 'what was recorded is in it')
  isClean()
})

t.test('Ctrl-C reverts each step and reports it', { skip: elsewhere }, async t => {
  const { running, text, isBegun, isClean } = start(t, ['--unattended', '--only', 'times,watch'])
  await running.prints('… a project is up')
  await until('its daemon', isBegun)
  running.child.kill('SIGINT')
  const { code, stdout } = await running.done
  t.equal(code, 130, stdout)
  t.match(text(), /## times: fail\n\n\* interrupted: SIGINT\n/)
  t.notMatch(text(), '## watch')
  isClean()
})

t.test('rejects an unknown step', async t => {
  const { running } = start(t, ['--only', 'machine,nonsense'])
  t.match(await running.done, { code: 2, stdout: /There is no step 'nonsense'\. There are: machine, / })
})

t.test('a report contains no user name and no secret', async t => {
  const user = { username: 'ann', homedir: '/Users/ann', uid: 501, gid: 20, shell: null }
  const said = `/Users/ann/x of ann on anns-mac.local: DB_PASSWORD=hunter2 postgres://app:secret@localhost a4:83:e7:00:11:22\n-----BEGIN PRIVATE KEY-----\nAAA\n-----END PRIVATE KEY-----`
  t.equal(
    redacted(said, user, 'anns-mac.local'),
    '~/x of USER on HOST: DB_PASSWORD=… postgres://app:…@localhost …\nPRIVATE KEY',
  )
  const result = {
    id: 'a',
    title: 'A',
    outcome: 'fail',
    ms: 1200,
    reasons: ['why'],
    notes: [['text', '```\nx']],
  } as const
  t.match(
    reportOf([result], 'about'),
    /\| a \| A \| fail \| 1\.2 s \|[\s\S]*\* why[\s\S]*### text\n\n````text\n```\nx\n````/,
  )
  t.equal(countOf([result]), '0 passed, 1 failed, 0 need a person, 0 not here')
})
