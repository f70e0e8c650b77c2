/** What the palette and the menus do to a database and a project, against a real daemon. */
import type { Page } from 'playwright-core'
import { query, urlOf } from '../e2e/postgres-shop.ts'
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { openDashboard } from '../lib/dashboard.ts'

const files = (name: string) => ({
  'locald.toml': `[project]\nname = "${name}"\n[services.db]\ntype = "postgres"\ndatabases = ["${name}"]\n`,
})

/** Finds an entry in the palette, and runs it. */
async function run(page: Page, words: string, title: string): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').waitFor()
  await page.keyboard.type(words)
  await page.getByRole('option', { selected: true }).locator('.title', { hasText: title }).waitFor()
  await page.keyboard.press('Enter')
}

onHost(
  'actions of the dashboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const folder = sandbox.project('shop', files('shop'))
    await sandbox.up(folder)
    const url = await urlOf(sandbox, folder)
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/')
    const row = page.locator('tr[data-service="shop:db"]')
    await row.getByText('Ready').waitFor()
    await query(url, 'CREATE TABLE things AS SELECT 1 AS one')
    const tables = async () => (await query(url, "SELECT to_regclass('things') AS found"))[0]?.['found']

    await t.test('take a snapshot, from the palette', async t => {
      await run(page, 'snapshot of db', 'Take a snapshot of db')
      await page.locator('.toast.done').waitFor()
      const { stdout } = await sandbox.ok(['db', 'list', '--json', '--service', 'shop:db'], { cwd: folder })
      t.match(stdout, /snapshot/)
    })

    await t.test('reset it, from the menu of its row, after a question', async t => {
      const open = async () => {
        await row.getByRole('button', { name: 'Actions of db' }).click()
        await page.getByRole('menuitem', { name: /^Reset db/ }).click()
        return page.getByRole('dialog', { name: 'Reset db?' })
      }
      const question = await open()
      await question.getByText('locald service reset shop:db').waitFor()
      await question.getByRole('button', { name: 'Cancel' }).click()
      await question.waitFor({ state: 'hidden' })
      t.equal(await tables(), 'things', 'nothing was done')
      await (await open()).getByRole('button', { name: 'Delete the data of db' }).click()
      await page.locator('.toast').getByText('db was reset').waitFor()
      await row.getByText('Ready').waitFor()
      t.equal(await tables(), null)
    })

    await t.test('restore the snapshot, from the palette', async t => {
      await run(page, 'restore db', 'Restore db from a snapshot…')
      const question = page.getByRole('dialog', { name: 'Restore db' })
      await question.getByRole('radio').first().waitFor()
      await question.getByRole('button', { name: 'Restore' }).click()
      await page
        .locator('.toast.done')
        .getByText(/restored/i)
        .waitFor()
      await row.getByText('Ready').waitFor()
      t.equal(await tables(), 'things')
    })

    await t.test('pin the project and unpin it, from the palette', async t => {
      const isPinned = async () => JSON.parse((await sandbox.ok(['registry', 'list', '--json'])).stdout)
      await run(page, 'pin shop', 'Pin shop: start it with the daemon')
      await page.locator('.toast').getByText('shop starts with the daemon').waitFor()
      t.match(JSON.stringify(await isPinned()), /"pinned":true/)
      await run(page, 'unpin shop', 'Unpin shop')
      await page.locator('.toast').getByText('shop does not start with the daemon').waitFor()
      t.notMatch(JSON.stringify(await isPinned()), /"pinned":true/)
    })

    await t.test('name the project of a service where another has one of that name', async () => {
      const other = sandbox.project('other', {
        'locald.toml': '[project]\nname = "other"\n[services.db]\ntype = "worker"\ncommand = "sleep 1000"\n',
      })
      await sandbox.up(other)
      await page.locator('tr[data-service="other:db"]').waitFor()
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').waitFor()
      await page.keyboard.type('restart db')
      for (const name of ['shop', 'other'])
        await page
          .getByRole('option', { name: new RegExp(`^Restart db in ${name} locald restart ${name}:db`) })
          .waitFor()
      await page.keyboard.press('Escape')
    })
  },
  { timeout: 300_000, skip: noBrowser },
)
