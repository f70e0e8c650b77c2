import t from 'tap'
import { RestartLoop } from '../../../../kernel/operations/reload/restart-loop.ts'

/** The kinds of verdict on changes that come after these times, ms. */
function kinds(loop: RestartLoop, delays: readonly number[], files: (index: number) => readonly string[]): string {
  return delays.map((delay, index) => loop.decide(files(index), delay).kind).join(' ')
}

const same = () => ['gen.json']

t.test('a file written at each start is a loop and ignored from then on', t => {
  const loop = new RestartLoop()
  const files = (index: number) => ['gen.json', `other-${index}`]
  t.equal(kinds(loop, [90, 120, 300, 80, 90, 90], files), 'restart restart restart restart loop restart')
  t.strictSame(loop.decide(['gen.json'], 60_000), { kind: 'ignore' })
  t.strictSame(loop.decide(['gen.json', 'main.js'], 50), { kind: 'restart', files: ['main.js'] })
  t.end()
})

t.test('a file written a while after each start is a loop', t => {
  t.match(kinds(new RestartLoop(), [3000, 3100, 2950, 3200, 3050, 3000], same), /^(restart ){5}loop$/)
  t.end()
})

t.test('different files at each start are a loop after more rounds', t => {
  const loop = new RestartLoop()
  t.match(
    kinds(loop, Array(10).fill(100), index => [`tmp-${index}`]),
    /^(restart ){9}loop$/,
  )
  t.equal(loop.decide(['main.js'], 60_000).kind, 'ignore')
  t.end()
})

t.test('a file written at any time after each start is a loop after many rounds', t => {
  const delays = Array.from({ length: 20 }, (_, index) => 200 + ((index * 1873) % 4500))
  t.match(kinds(new RestartLoop(), delays, same), /^(restart ){19}loop$/)
  t.end()
})

t.test('frequent saving is no loop', t => {
  const saves = [1100, 1900, 1300, 4000, 1200, 2500, 900, 1800, 1300, 3000, 700, 1600]
  t.notMatch(kinds(new RestartLoop(), saves, same), /loop|ignore/)
  t.notMatch(kinds(new RestartLoop(), [100, 100, 100, 100, 20_000, 100, 100, 100, 100], same), /loop/)
  t.end()
})
