import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { Sessions } from '../../../plugins/dashboard/sessions.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }
const dayMs = 86_400_000

async function open(t: Test, at: { now: number }, file = join(t.testdir(), 'dashboard', 'sessions.json')) {
  return { file, sessions: await Sessions.open(file, log, () => at.now) }
}

t.test('a token is valid once, and for a day', async t => {
  const at = { now: 1_000_000 }
  const { sessions } = await open(t, at)
  const [first, second, third] = [sessions.createToken(), sessions.createToken(), sessions.createToken()]
  t.ok(sessions.signIn(first))
  t.equal(sessions.signIn(first), undefined)
  at.now += dayMs - 1
  t.ok(sessions.signIn(second))
  at.now += 1
  t.equal(sessions.signIn(third), undefined)
  t.equal(sessions.signIn(''), undefined)
})

t.test('a session is valid for 30 days, also under the next daemon', async t => {
  const at = { now: 1_000_000 }
  const { file, sessions } = await open(t, at)
  const session = sessions.signIn(sessions.createToken()) ?? ''
  at.now += 30 * dayMs - 1
  const next = await open(t, at, file)
  t.ok(next.sessions.has(session))
  t.notMatch(readFileSync(file, 'utf8'), session)
  at.now += 1
  t.notOk(next.sessions.has(session))
  at.now = 500_000
  t.notOk(next.sessions.has(session), 'one from the future does not last for ever')
})

t.test('keeps 64 sessions and 128 tokens, the newest', async t => {
  const at = { now: 1_000_000 }
  const { sessions } = await open(t, at)
  const signedIn = Array.from({ length: 65 }, () => sessions.signIn(sessions.createToken()) ?? '')
  t.strictSame(signedIn.map(each => sessions.has(each)).indexOf(true), 1)
  const tokens = Array.from({ length: 129 }, () => sessions.createToken())
  t.equal(sessions.signIn(tokens[0] ?? ''), undefined)
  t.ok(sessions.signIn(tokens[1] ?? ''))
})

t.test('a corrupt file has no session, and is replaced', async t => {
  const at = { now: 1_000_000 }
  const file = join(t.testdir(), 'dashboard', 'sessions.json')
  mkdirSync(dirname(file))
  for (const text of [
    '{',
    '[]',
    '{"sessions":[{"hash":1}]}',
    '{"sessions":{"a":1}}',
    '{"sessions":[{"hash":"","createdAt":1}]}',
  ]) {
    writeFileSync(file, text)
    const { sessions } = await open(t, at, file)
    t.notOk(sessions.has(''), text)
    const session = sessions.signIn(sessions.createToken()) ?? ''
    t.ok((await open(t, at, file)).sessions.has(session), text)
  }
})

t.test('a file that is too large for sessions is not read', async t => {
  const at = { now: 1_000_000 }
  const { file, sessions } = await open(t, at)
  const session = sessions.signIn(sessions.createToken()) ?? ''
  writeFileSync(file, `${readFileSync(file, 'utf8')}${' '.repeat(1024 * 1024)}`)
  t.notOk((await open(t, at, file)).sessions.has(session))
})
