import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { SignInFiles } from '../../../plugins/dashboard/sign-in-files.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const url = 'http://locald.localhost:8080/sign-in?token=a&to=%2Flogs'

t.test('a page that leads to the URL, for this user alone', async t => {
  const folder = t.testdir()
  const files = new SignInFiles(() => folder, silent)
  const path = fileURLToPath(files.write('a', url) ?? '')
  t.match(readFileSync(path, 'utf8'), `content="0; url=${url.replace('&', '&#38;')}"`)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(join(folder, 'sign-in')).mode & 0o777, 0o700)
  files.remove('b')
  t.ok(existsSync(path), 'of another token')
  files.remove('a')
  t.notOk(existsSync(path))
})

t.test('is removed after a time, when the daemon stops, and by the next daemon', async t => {
  const folder = t.testdir()
  mkdirSync(join(folder, 'sign-in'))
  writeFileSync(join(folder, 'sign-in', 'stale.html'), '')
  const files = new SignInFiles(() => folder, silent, 20)
  t.strictSame(readdirSync(folder), [])
  const path = fileURLToPath(files.write('a', url) ?? '')
  const until = Date.now() + 10_000
  while (existsSync(path) && Date.now() < until) await sleep(5)
  t.notOk(existsSync(path))
  files.write('b', url)
  files.write('c', url)
  files.close()
  t.strictSame(readdirSync(join(folder, 'sign-in')), [])
})

t.test('is missing where it cannot be written', async t => {
  const folder = t.testdir({ file: '' })
  const warnings: string[] = []
  const files = new SignInFiles(() => join(folder, 'file'), { ...silent, warn: text => warnings.push(text) })
  t.equal(files.write('a', url), undefined)
  t.match(warnings, [/remain: ENOTDIR/, /^no file for the sign-in: ENOTDIR/])
})
