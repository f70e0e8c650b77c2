import t from 'tap'
import { closest } from '../../../kernel/system/suggest.ts'

t.test('suggests the word that was most likely meant', async t => {
  const types = ['exec', 'worker', 'postgres', 'container', 'site']
  const cases: Readonly<Record<string, string | undefined>> = {
    exce: 'exec',
    Exec: 'exec',
    POSTGRES: 'postgres',
    postgress: 'postgres',
    contianer: 'container',
    wroker: 'worker',
    sit: 'site',
    cont: 'container',
    'worker-pool': 'worker',
    mysql: undefined,
    redis: undefined,
    '': undefined,
  }
  for (const [word, meant] of Object.entries(cases)) t.equal(closest(word, types), meant, word)
})

t.test('prefers the same letters to a longer word, and that to a near one', async t => {
  t.equal(closest('prot', ['protocol', 'port']), 'port')
  t.equal(closest('stat', ['start', 'stop', 'status']), 'status')
  t.equal(closest('server', ['server-install', 'server-two']), 'server-two', 'the shortest of several')
})

t.test('suggests nothing for a single letter', async t => {
  t.equal(closest('a', ['b', 'api']), undefined)
})

t.test('returns the candidate as it is written', async t => {
  t.equal(closest('web', ['Web']), 'Web')
  t.equal(closest('db', ['dc', 'web']), 'dc')
  t.equal(closest('web', []), undefined)
})
