import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Builds } from '../../../plugins/site/server/builds.ts'
import { until } from '../../lib/running.ts'

/** Builds that append to a file, and what they report. */
function make(t: Test, command: string, after = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'locald-builds-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'runs')
  writeFileSync(file, '')
  const printed: string[] = []
  let built = 0
  const builds = new Builds({
    command,
    env: { ...process.env, FILE: file },
    print: text => printed.push(text),
    built: () => {
      built++
      after()
    },
  })
  const runs = () => readFileSync(file, 'utf8').length
  return { builds, file, printed, runs, built: () => built }
}

t.test('changes during a build cause one more', async t => {
  const { builds, file, runs, built } = make(t, 'printf x >> "$FILE"; while [ ! -e "$FILE.go" ]; do sleep 0.02; done')
  builds.start([])
  await until('the build runs', () => runs() === 1)
  t.ok(builds.isIncomplete)
  builds.start(['a.ts'])
  builds.start(['b.ts'])
  writeFileSync(`${file}.go`, '')
  t.equal(await builds.settled(), null)
  t.equal(runs(), 2)
  t.equal(built(), 2)
})

t.test('a file that each build changes does not cause builds forever', async t => {
  const { builds, printed, runs } = make(t, 'printf x >> "$FILE"', () => builds.start(['cache.json']))
  builds.start([])
  await builds.settled()
  t.equal(runs(), 3)
  t.match(printed.at(-1), /^cache\.json changes during each build/)
})

t.test('a failed build is reported until one succeeds', async t => {
  const { builds, file, printed, built } = make(t, 'printf x >> "$FILE"; [ -e "$FILE.ok" ] || exit 3')
  builds.start([])
  t.match(await builds.settled(), /^the build failed: `printf.*` exited with code 3$/)
  t.ok(builds.isIncomplete)
  t.match(printed.join('\n'), 'exited with code 3')
  writeFileSync(`${file}.ok`, '')
  builds.start(['a.ts'])
  t.equal(await builds.settled(), null)
  t.notOk(builds.isIncomplete)
  t.equal(built(), 1)
  t.equal(printed.at(-1), 'a.ts changed; building')
})
