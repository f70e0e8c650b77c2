import type { RunAnswer } from '../../kernel/protocol.ts'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { callApi, checkPage, openDashboard } from '../lib/dashboard.ts'

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

    await t.test('a command of the palette runs on a terminal of its own until it is closed', async t => {
      await page.goto(`${origin}/terminals?service=desk:size`)
      await page.getByText('true colour').waitFor(limit)
      const pane = page.locator('.pane[data-run]')
      await page.keyboard.press('Control+k')
      await page.keyboard.type('run a command as pipe')
      await page.keyboard.press('Enter')
      const dialog = page.getByRole('dialog', { name: 'Run a command as pipe' })
      await dialog.getByText('locald run desk:pipe -- COMMAND').waitFor(limit)
      t.ok(await dialog.getByRole('button', { name: 'Run' }).isDisabled())
      await page.keyboard.type(`read name; stty size; echo "hi $name"; ${process.execPath} -e 'process.exit(6 * 7)'`)
      await dialog.getByText(/locald run desk:pipe -- sh -c 'read name;.*'\\''process/).waitFor(limit)
      await checkPage(t, page, 'terminals-run-dialog')
      await page.keyboard.press('Enter')
      const shown = (text: string | RegExp) => pane.locator('.xterm-rows').filter({ hasText: text }).waitFor(limit)
      await pane.getByText('running').waitFor(limit)
      await pane.locator('.xterm.focus').waitFor(limit)
      await page.keyboard.type('An')
      await shown('An')
      await page.reload()
      await shown('An')
      await page.setViewportSize({ width: 800, height: 700 })
      await page.locator('.pane[data-run] .host').click()
      await page.keyboard.type('n')
      const size = pane.locator('.size')
      await shown('Ann')
      const [cols = '', rows = ''] = ((await size.textContent()) ?? '').split('×')
      await page.keyboard.press('Enter')
      await shown(`${rows} ${cols}`)
      await shown('hi Ann')
      await shown('[exited with code 42]')
      await pane.locator('.word').filter({ hasText: 'exited with code 42' }).waitFor(limit)
      await page.reload()
      await shown('[exited with code 42]')
      await pane.getByRole('button', { name: /^Close the terminal of read name; stty size/ }).click()
      await pane.waitFor({ state: 'detached', ...limit })
      t.notOk(await page.getByText('Commands', { exact: true }).count(), 'not in the list any more')
      await page.waitForURL(/\/terminals\?service=desk%3Asize$/, limit)
    })

    await t.test('a command that runs is stopped by `x`, after a question, in all windows', async () => {
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.locator('.pane[data-service="desk:size"]').focus()
      await page.keyboard.press('Control+k')
      await page.keyboard.type('run a command as size')
      await page.keyboard.press('Enter')
      await page.getByRole('dialog').getByLabel('Command').fill('cat -u')
      await page.getByRole('button', { name: 'Run', exact: true }).click()
      const pane = page.getByRole('region', { name: 'Terminal of cat -u as desk:size' })
      await pane.locator('.xterm.focus').waitFor(limit)
      await page.keyboard.type('twice\n')
      await pane
        .locator('.xterm-rows')
        .filter({ hasText: /twice\s*twice/ })
        .waitFor(limit)
      const other = await dashboard.visit('/terminals')
      await other.locator('.choice').getByRole('button', { name: 'size: cat -u' }).waitFor(limit)
      await page.keyboard.press('Control+]')
      await page.keyboard.press('x')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await pane.focus()
      await page.keyboard.press('x')
      await page.getByRole('button', { name: 'Stop and close' }).click()
      await pane.waitFor({ state: 'detached', ...limit })
      await other
        .locator('.choice')
        .getByRole('button', { name: 'size: cat -u' })
        .waitFor({ state: 'detached', ...limit })
      await other.close()
      await page.waitForURL(/\/terminals\?service=desk%3Asize$/, limit)
    })

    await t.test('says why a command does not run', async () => {
      await page.locator('.pane[data-service="desk:size"]').focus()
      await page.keyboard.press('Control+k')
      await page.keyboard.type('run a command as size')
      await page.keyboard.press('Enter')
      await page.keyboard.type('no-such-command\n')
      await page.locator('.toast').filter({ hasText: 'command not found: no-such-command' }).waitFor(limit)
      dashboard.problems.length = 0
    })

    await t.test('the screen reader mode has the lines as text, and is remembered', async t => {
      await page.keyboard.press('a')
      const lines = page.locator('.pane[data-service="desk:size"] .xterm-accessibility')
      await lines.getByRole('listitem').filter({ hasText: 'true colour' }).first().waitFor(limit)
      await checkPage(t, page, 'terminals-screen-reader')
      await page.reload()
      await lines.getByRole('listitem').filter({ hasText: 'true colour' }).first().waitFor(limit)
      await page.getByRole('button', { name: 'Screen reader' }).click()
      await lines.waitFor({ state: 'detached', ...limit })
    })

    await t.test('has no violation of accessibility or of the policy, in all looks', async t => {
      await page.close()
      // The lines of its sizes have scrolled the first one away.
      await sandbox.ok(['restart', 'size'], { cwd: path })
      const argv = ['sh', '-c', 'echo failed on purpose; exit 3']
      const { socket } = await sandbox.server()
      const body = { path, service: 'pipe', argv }
      const { run } = await callApi<RunAnswer>(socket, 'POST', '/v1/services/run', body)
      await dashboard.checkLooks(t, '/terminals', 'terminals-none', it => it.locator('.none').waitFor())
      const open = '/terminals?service=desk:size&service=desk:pipe&service=desk:repl&service=desk:broken'
      await dashboard.checkLooks(t, `${open}&run=${run.id}`, 'terminals', async it => {
        await it.locator('.xterm-rows').filter({ hasText: 'failed on purpose' }).waitFor()
        await it.locator('.xterm-rows').filter({ hasText: 'true colour' }).waitFor()
        await it.locator('.xterm-rows').filter({ hasText: 'only output' }).waitFor()
      })
    })
  },
  { timeout: 240_000, skip: noBrowser },
)
