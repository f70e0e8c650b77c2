import type { ServerResponse } from 'node:http'
import t from 'tap'
import type { LogLine } from '../../../kernel/events.ts'
import { type Test, view } from '../fake-daemon.ts'
import { linesOf, Scripted } from './scripted.ts'

const shop = [view('web')]

/** Starts a daemon with 3,000 old lines, of which every hundredth is a needle, and three new ones. */
async function start(test: Test): Promise<Scripted> {
  const scripted = await Scripted.start(test, shop)
  for (let index = 0; index < 3000; index++)
    scripted.history.push(scripted.line('web', index % 100 === 0 ? `needle ${index}` : `hay ${index}`))
  scripted.past.push(scripted.line('web', 'new 1'), scripted.line('web', 'needle new'), scripted.line('web', 'new 3'))
  return scripted
}

t.test('n walks on into lines that the monitor does not hold, N back', async t => {
  const scripted = await start(t)
  const screen = scripted.open([], { columns: 100, rows: 24 })
  await screen.shows('new 3')
  screen.press('/needle\r')
  await screen.shows('“needle” 1 of 1 line · ')
  screen.press('n')
  await screen.shows('“needle” 1 of 30 older · Jan 1 · f newest')
  await screen.shows(/hay 2899\n[^\n]*needle 2900\n[^\n]*hay 2901/)
  const row = screen.xterm.lines.findIndex(line => line.includes('needle 2900'))
  t.equal(screen.xterm.style(screen.xterm.lines[row]?.indexOf('needle') ?? 0, row), '30;46', 'the hit is highlighted')
  screen.press('n')
  await screen.shows('“needle” 2 of 30 older')
  await screen.shows(/hay 2799\n[^\n]*needle 2800/)
  screen.press('nnnnnn')
  await screen.shows(/“needle” 8 of 30 older[\s\S]*hay 2199\n[^\n]*needle 2200/)
  screen.press('y')
  await screen.shows('Copied the line')
  t.same(screen.xterm.copied, ['needle 2200\n'])
  screen.press('NNNNNNN')
  await screen.shows(/“needle” 1 of 30 older[\s\S]*needle 2900/)
  screen.press('N')
  await screen.shows(/“needle” 1 of 1 line · [\s\S]*new 1\n[^\n]*needle new\n/)
  screen.press('nf')
  await screen.shows(/“needle” 1 line · following[\s\S]*needle new\n[^\n]*new 3/)
  screen.press('q')
  t.same(await screen.exit, { code: 0, isRestored: true })
})

t.test('a search without a hit in the newest lines searches older ones, and says how far it is', async t => {
  const scripted = await start(t)
  let answer: ((lines: readonly object[], isEnd: boolean) => void) | undefined
  const asked = new Promise<readonly LogLine[]>(resolve => {
    scripted.searched = (response: ServerResponse, found) => {
      answer = (lines, isEnd) => {
        response.write(linesOf(lines))
        if (isEnd) response.end()
      }
      resolve(found)
    }
  })
  const screen = scripted.open([], { columns: 100, rows: 24 })
  await screen.shows('new 3')
  screen.press('/hay\r')
  const [newest, second] = await asked
  if (newest === undefined || second === undefined) throw new Error('nothing was searched for')
  answer?.([{ progress: { scannedTo: null, scannedBytes: 0, totalBytes: 1000, matches: 0 } }], false)
  await screen.shows('“hay” searching, 0 % · f newest')
  const progress = { scannedBytes: 430, totalBytes: 1000, matches: 1 }
  answer?.([{ match: second }, { progress: { ...progress, scannedTo: newest.time } }], false)
  await screen.shows('searching, 43 %')
  t.notMatch(screen.text, 'hay 2998', 'a newer match of another service may follow')
  answer?.([{ match: newest }, { progress: { ...progress, scannedTo: second.time } }], false)
  await screen.shows(/“hay” 1 of 2\+ older · searching, 43 % [\s\S]*hay 2999/)
  screen.press('n')
  await screen.shows(/“hay” 2 of 2\+ older/)
  answer?.([{ done: { ...progress, scannedTo: null, scannedBytes: 1000, isComplete: true } }], true)
  await screen.shows('“hay” 2 of 2 older · Jan 1 ·')
  screen.press('n')
  await screen.shows('No older line with “hay”')
  screen.press('\x1b')
  await screen.shows('“hay” 0 lines · following')
  screen.press('q')
  await screen.exit
})

t.test('a search goes on where its limit was reached', async t => {
  const scripted = await start(t)
  const limits: (string | null)[] = []
  scripted.searched = (response, found) => {
    limits.push(found[0]?.text ?? null)
    const some = found.slice(0, 4)
    const scannedTo = some.at(-1)?.time ?? null
    const done = { scannedTo, scannedBytes: 1, totalBytes: 2, matches: some.length, isComplete: found.length <= 4 }
    response.end(linesOf([...some.map(match => ({ match })), { done }]))
  }
  const screen = scripted.open([], { columns: 100, rows: 24 })
  await screen.shows('new 3')
  screen.press('/needle 2\r')
  await screen.shows('“needle 2” 1 of 4+ older')
  for (let at = 2; at <= 11; at++) {
    screen.press('n')
    await screen.shows(new RegExp(`“needle 2” ${at} of [\\s\\S]*needle ${at < 11 ? 3000 - 100 * at : 200}`))
  }
  screen.press('n')
  await screen.shows('No older line with “needle 2”')
  t.ok(limits.length >= 3, `${limits.length} searches`)
  screen.press('q')
  await screen.exit
})

t.test('a line is found among thousands of the same time', async t => {
  const scripted = await Scripted.start(t, shop)
  const [time = ''] = [scripted.line('web', '').time]
  for (let index = 0; index < 3000; index++)
    scripted.history.push({ ...scripted.line('web', index % 1000 === 0 ? `needle ${index}` : `hay ${index}`), time })
  scripted.past.push(scripted.line('web', 'new'))
  const screen = scripted.open([], { columns: 100, rows: 24 })
  await screen.shows('new')
  screen.press('/needle\r')
  await screen.shows(/“needle” 1 of 3 older[\s\S]*hay 1999\n[^\n]*needle 2000\n[^\n]*hay 2001/)
  screen.press('nn')
  await screen.shows(/“needle” 3 of 3 older[\s\S]*needle 0\n[^\n]*hay 1\n/)
  screen.press('q')
  await screen.exit
})

t.test('says that there is none, or why a search has failed', async t => {
  const scripted = await start(t)
  const screen = scripted.open([], { columns: 100, rows: 24 })
  await screen.shows('new 3')
  screen.press('/nowhere\r')
  await screen.shows('No older line with “nowhere”')
  await screen.shows('“nowhere” 0 lines · following')
  scripted.searched = response => response.end(linesOf([{ error: { code: 'INTERNAL', message: 'broken' } }]))
  screen.press('n')
  await screen.shows(/^ broken$/m)
  screen.press('q')
  await screen.exit
})
