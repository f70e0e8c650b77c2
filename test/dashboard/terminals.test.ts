import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

/** ms */
const limit = { timeout: 20_000 }

onHost(
  'terminals in the browser',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('desk', {
      'locald.toml': `[project]
name = "desk"
[services.repl]
type = "worker"
command = "exec '${process.execPath}' -i"
[services.size]
type = "worker"
command = "trap 'stty size' WINCH; printf '\\\\033[38;2;1;2;3mtrue colour\\\\033[0m\\\\n'; while :; do sleep 0.05; done"
[services.pipe]
type = "worker"
tty = false
command = "echo only output; exec sleep 1000"
[services.broken]
type = "worker"
command = "exit 3"
restart = "no"
`,
    })
    await sandbox.run(['up', '--detach'], { cwd: path })
    const dashboard = await openDashboard(t, sandbox)
    const { origin } = dashboard
    const page = await dashboard.visit('/terminals')
    const screenOf = (name: string) => page.locator(`section[aria-label="Terminal of desk:${name}"] .xterm-rows`)
    const shows = (name: string, text: string | RegExp) => screenOf(name).filter({ hasText: text }).waitFor(limit)

    await t.test(
      'a terminal that is opened takes the focus and what is typed; single keys do nothing else',
      async t => {
        await page.locator('.choice').getByRole('button', { name: 'repl' }).click()
        await shows('repl', '> ')
        await page.keyboard.type('"rsg" + 6 * 7\n')
        await shows('repl', "'rsg42'")
        t.match(page.url(), /\/terminals\?service=desk%3Arepl$/, 'no key of the page was used')
        t.notOk(await page.locator('dialog[open]').count())
      },
    )

    await t.test('survives a reload: which ones are open, and their screens', async () => {
      await page.locator('.choice').getByRole('button', { name: 'pipe' }).click()
      await shows('pipe', 'only output')
      await page.reload()
      await shows('repl', "'rsg42'")
      await shows('pipe', 'only output')
      await page.getByText('read-only').waitFor(limit)
    })

    await t.test('Ctrl ] leaves a terminal, Enter goes back, x closes it', async t => {
      const focused = () => page.evaluate('document.activeElement?.getAttribute("aria-label")')
      await page.locator('section[aria-label="Terminal of desk:repl"] .host').click()
      await page.keyboard.press('Control+]')
      t.equal(await focused(), 'Terminal of desk:repl')
      await page.keyboard.press('Enter')
      await page.keyboard.type('"again" + 1\n')
      await shows('repl', "'again1'")
      await page.keyboard.press('Control+]')
      await page.keyboard.press('j')
      t.equal(await focused(), 'Terminal of desk:pipe')
      await page.keyboard.press('x')
      await screenOf('pipe').waitFor({ state: 'detached', ...limit })
      t.match(page.url(), /\?service=desk%3Arepl$/)
    })

    await t.test('the program sees the size of the pane', async () => {
      await page.goto(`${origin}/terminals?service=desk:size`)
      await shows('size', 'true colour')
      await page.setViewportSize({ width: 900, height: 600 })
      const size = page.locator('.pane .size')
      await shows('size', /\d+ \d+/)
      const [cols = '', rows = ''] = ((await size.textContent()) ?? '').split('×')
      await shows('size', `${rows} ${cols}`)
    })

    await t.test('finds text', async () => {
      await page.getByRole('button', { name: 'Find in the terminal of size' }).click()
      await page.keyboard.type('no such text')
      await page.locator('.find-bar').getByText('not found').waitFor(limit)
      await page.keyboard.press('Escape')
      await page.locator('.find-bar').waitFor({ state: 'detached', ...limit })
    })

    await t.test('has no violation of accessibility or of the policy, in all looks', async t => {
      await page.close()
      await dashboard.checkLooks(t, '/terminals', 'terminals-none', it => it.locator('.none').waitFor())
      const open = '/terminals?service=desk:size&service=desk:pipe&service=desk:repl&service=desk:broken'
      await dashboard.checkLooks(t, open, 'terminals', async it => {
        await it.locator('.xterm-rows').filter({ hasText: 'true colour' }).waitFor()
        await it.locator('.xterm-rows').filter({ hasText: 'only output' }).waitFor()
      })
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
