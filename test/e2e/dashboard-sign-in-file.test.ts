import { chmodSync, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { noBrowser, openBrowser } from '../lib/browser.ts'
import { callApi } from '../lib/dashboard.ts'
import { onlyLinux } from '../lib/machine.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { fetchFrom } from '../lib/web.ts'

interface Link {
  readonly url: string
  readonly file?: string
}

t.test('a browser is signed in by a file', { skip: noBrowser || onlyLinux('the desktop is Linux’s') }, async t => {
  const tools = t.testdir({
    'xdg-mime': '#!/bin/sh\necho chromium.desktop\n',
    'xdg-open': '#!/bin/sh\necho "$*" >>"$HOME/opened"\n',
  })
  for (const name of ['xdg-mime', 'xdg-open']) chmodSync(join(tools, name), 0o755)
  const PATH = `${tools}:${dirname(process.execPath)}:/usr/bin:/bin`
  const sandbox = new Sandbox(t, { env: { PATH, DISPLAY: ':0' } })
  const folder = sandbox.project('shop', {
    'locald.toml': '[project]\nname = "shop"\n[services.web]\ncommand = "exec sleep 1000"\ntype = "worker"\n',
  })
  await sandbox.up(folder)
  const http = await sandbox.http()
  const own = `http://locald.localhost:${http}`
  const seen = join(sandbox.home, 'opened')

  await t.test('whose name is all that other users can see', async t => {
    const { stdout } = await sandbox.ok(['open', '--dashboard', 'web'], { cwd: folder })
    await until('the opener', () => existsSync(seen) && readFileSync(seen, 'utf8').endsWith('\n'))
    const shown = readFileSync(seen, 'utf8').trim()
    t.match(shown, /^file:\/\/.*\/sign-in\/[0-9a-f]{16}\.html$/)
    const token = /token=([\w-]+)/.exec(stdout)?.[1] ?? '-'
    t.notMatch(shown, token)
    const file = fileURLToPath(shown)
    t.match(readFileSync(file, 'utf8'), token)
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.equal(statSync(dirname(file)).mode & 0o777, 0o700)

    const browser = await openBrowser(t)
    const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
    await page.goto(shown)
    await page.waitForURL(/\/service\/shop:web$/)
    await page.locator('.app').waitFor()
    t.equal(await page.evaluate("fetch('/v1/ping').then(answer => answer.status)"), 200, 'with its session')
    t.equal(await page.evaluate('document.referrer'), '')
    t.notOk(existsSync(file), 'a used file is removed')
    await page.reload()
    await page.locator('.app').waitFor()
  })

  await t.test('and that is removed when its link is used another way', async t => {
    const { socket } = await sandbox.server()
    const body = { file: true, scheme: 'http' }
    const { url, file } = await callApi<Link>(socket, 'POST', '/v1/dashboard/token', body)
    t.equal(new URL(url).origin, own)
    const path = fileURLToPath(file ?? '')
    t.ok(existsSync(path))
    const { pathname, search } = new URL(url)
    const answer = await fetchFrom(http, 'locald.localhost', `${pathname}${search}`)
    t.equal(answer.status, 200)
    t.notOk(existsSync(path))
  })
})
