import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { ServiceView } from '../../../kernel/events.ts'
import { Histories, History } from '../../../kernel/services/history.ts'

const view: ServiceView = {
  ...{
    key: 'shop:web',
    project: 'shop',
    name: 'web',
    path: '/shop',
    type: 'exec',
    status: 'running',
    health: 'healthy',
  },
  ...{ port: 1, url: null, pid: 1, startedAt: null, restarts: 0, cpu: null, memory: null, reason: null },
}

t.test('keeps changes of state, not each probe of a start', async t => {
  const history = new History()
  history.noteState({ ...view, status: 'stopped', health: null })
  history.noteState({ ...view, status: 'waiting', health: null })
  history.noteState({ ...view, status: 'waiting', health: null, reason: 'waiting for db' })
  history.noteState({ ...view, status: 'starting', health: 'starting', reason: 'connection refused' })
  history.noteState({ ...view, status: 'starting', health: 'starting', reason: 'status 503' })
  history.noteState(view)
  history.noteState({ ...view, pid: 2 })
  history.noteExit({ code: 3, signal: null })
  history.noteState({ ...view, status: 'restarting', health: null, reason: 'exited with code 3' })
  history.noteWarning('slow')
  history.noteState({ ...view, status: 'restarting', health: null, reason: 'exited with code 4' })
  t.strictSame(
    history.list().map(({ kind, status, text, code }) => [kind, status, text, code]),
    [
      ['state', 'waiting', 'waiting for db', null],
      ['state', 'starting', 'connection refused', null],
      ['state', 'running', null, null],
      ['exit', null, null, 3],
      ['state', 'restarting', 'exited with code 3', null],
      ['warning', null, 'slow', null],
      ['state', 'restarting', 'exited with code 4', null],
    ],
  )
})

t.test('is bounded', async t => {
  const history = new History()
  for (let code = 0; code < 1000; code++) history.noteExit({ code, signal: null })
  t.equal(history.list().length, 200)
  t.match(history.list().at(-1), { code: 999 })
})

t.test('is left to the next daemon', async t => {
  const folder = t.testdir()
  const warnings: string[] = []
  const log = { info() {}, error() {}, warn: (text: string) => void warnings.push(text) }
  const first = new Histories(folder, log)
  for (let code = 0; code < 100; code++) first.of('/shop', 'web').noteExit({ code, signal: null })
  first.of('/shop', 'idle')
  first.save()
  const next = new Histories(folder, log)
  t.equal(next.of('/shop', 'web').list().length, 50, 'the last entries')
  t.match(next.of('/shop', 'web').list().at(-1), { kind: 'exit', code: 99, signal: null })
  t.strictSame(next.of('/shop', 'idle').list(), [])
  t.strictSame(warnings, [])
  writeFileSync(join(folder, 'history.json'), '{"histories":{"x":[{}]}}')
  t.strictSame(new Histories(folder, log).of('/shop', 'web').list(), [], 'a corrupt file is as none')
  t.match(warnings, [/history\.json could not be read/])
})
