import { renameSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

const files = {
  'locald.toml': '[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "sleep 1000"\n',
}
/** A plugin with a check whose fix needs no root: it makes a file. */
const plugin = (file: string) => `import { existsSync } from 'node:fs'
export default {
  name: 'toucher', api: 1,
  setup(host) {
    host.check({ id: 'the-file', title: 'The file', run: async () => existsSync('${file}')
      ? { status: 'pass', severity: 'important', summary: 'the file exists' }
      : { status: 'fail', severity: 'important', summary: 'the file is missing', fix: 'Run \`touch ${file} && echo made\`.' } })
  },
}`

onHost(
  'the screen of the system',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('shop', files)
    const old = sandbox.project('old', { 'locald.toml': files['locald.toml'].replace('shop', 'old') })
    const manifest = { name: 'toucher', version: '1.0.0', type: 'module', exports: './index.js', locald: { api: 1 } }
    const folder = `${resolvePaths({ env: sandbox.env }).data}/plugins/node_modules/toucher`
    const made = `${sandbox.home}/made`
    sandbox.write(`${folder}/package.json`, JSON.stringify(manifest))
    sandbox.write(`${folder}/index.js`, plugin(made))
    await sandbox.up(path)
    await sandbox.up(old)
    await sandbox.ok(['stop'], { cwd: old })
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/system')
    const card = (name: string, on: Page = page) => on.getByRole('region', { name, exact: true })

    await t.test('shows the daemon, plugins, certificates and disk', async t => {
      const { pid, socket } = await sandbox.server()
      await card('Daemon').getByText(`pid ${pid}`).waitFor()
      await card('Daemon').getByText(socket).waitFor()
      await card('Plugins')
        .getByRole('row', { name: /^exec-runtime active/ })
        .waitFor()
      await card('Certificates')
        .getByText(/, until 20\d\d-\d\d-\d\d, SHA-256 [0-9A-F:]{95}/)
        .waitFor()
      await card('Disk').getByRole('link', { name: 'shop:web' }).waitFor()
      await card('Disk').getByText('certificates').waitFor()
      t.match(await card('Disk').textContent(), /[\d.]+ [KMG]B, [\d.]+ [KMGT]B free/)
    })

    await t.test('runs a fix that needs no root, and shows its output', async t => {
      const fix = card('Checks').locator('.fixes li', { hasText: 'the-file' })
      await card('Checks').getByText('the file is missing').waitFor()
      await fix.getByRole('button', { name: 'Run' }).click()
      await page.locator('.toast').getByText(': done').waitFor()
      await card('Checks').getByText('the file is missing').waitFor({ state: 'detached' })
      await card('Checks')
        .getByText(/passed, \d+ skipped/)
        .click()
      await card('Checks').getByText('the file exists').waitFor()
      for (const each of await card('Checks').locator('.fixes li', { hasText: 'sudo ' }).all())
        t.equal(await each.getByRole('button', { name: 'Run' }).count(), 0, 'what needs root is only copied')
    })

    await t.test('pins a project, by the keyboard', async () => {
      const box = card('Known projects').getByRole('checkbox', { name: 'Start shop with the daemon' })
      await box.focus()
      await page.keyboard.press('Space')
      await card('Known projects').getByText('pinned').waitFor()
      await page.reload()
      await card('Known projects').getByText('pinned').waitFor()
    })

    await t.test('starts a stopped project, and forgets one whose folder is missing', async t => {
      const row = card('Known projects').getByRole('row', { name: /^old/ })
      await row.getByRole('button', { name: 'Start' }).click()
      await row.getByText('runs').waitFor()
      await page.getByText('old started').waitFor()
      await sandbox.ok(['stop'], { cwd: old })
      renameSync(old, `${old}-moved`)
      await page.reload()
      await card('Known projects')
        .getByRole('button', { name: /^Forget 1 / })
        .click()
      await row.waitFor({ state: 'detached' })
      t.equal(await card('Known projects').locator('tbody tr').count(), 1)
    })

    await t.test('looks right', t =>
      dashboard.checkLooks(t, '/system', 'system', async it => {
        await card('Disk', it).getByRole('link', { name: 'shop:web' }).waitFor()
        await card('Checks', it)
          .getByText(/passed, \d+ skipped/)
          .waitFor()
        await card('Plugins', it)
          .getByRole('row', { name: /^exec-runtime active/ })
          .waitFor()
      }),
    )
  },
  { timeout: 240_000, skip: noBrowser },
)
