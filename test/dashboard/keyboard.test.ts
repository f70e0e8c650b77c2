/** The whole job by the keyboard alone: find, open, act, go back. */
import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { checkPage, looks, openDashboard } from '../lib/dashboard.ts'

const server = `require('node:http').createServer((_, response) => response.end('ok')).listen(process.env.PORT, '127.0.0.1')
console.log('listening')
`

const files = {
  'locald.toml': `[project]
name = "keys"
[services.web]
command = "node server.js"
[services.api]
command = "node server.js"
`,
  'server.js': server,
}

onHost(
  'the dashboard by the keyboard',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    await sandbox.up(sandbox.project('keys', files))
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/')
    const row = (name: string) => page.locator(`tr[data-service="keys:${name}"]`)
    await row('web').getByText('Ready').waitFor()

    await t.test('j, k and Enter open a service; Escape goes back', async t => {
      await page.keyboard.press('j')
      await page.keyboard.press('j')
      t.equal(await focusedService(), 'keys:api')
      await page.keyboard.press('k')
      t.equal(await focusedService(), 'keys:web')
      await page.keyboard.press('Enter')
      await page.waitForURL('**/service/keys:web')
      await page.keyboard.press('Escape')
      await page.waitForURL(url => url.pathname === '/')
    })

    await t.test('a key acts on the focused row', async () => {
      await row('api').waitFor()
      await page.keyboard.press('j')
      await page.keyboard.press('j')
      await page.keyboard.press('s')
      await row('api').getByText('Stopped').waitFor()
    })

    await t.test('the palette shows an entry that was below the visible part of the list, each time', async () => {
      for (let left = 15; left > 0; left--) {
        await page.keyboard.press('Control+k')
        await page.getByRole('combobox').waitFor()
        await page.keyboard.type('pin keys')
        await page.locator('[role=option] .title', { hasText: 'Pin keys: start it with the daemon' }).waitFor()
        await page.keyboard.press('Escape')
        await page.getByRole('combobox').waitFor({ state: 'hidden' })
      }
    })

    await t.test('the palette finds what can be done, and does it', async t => {
      await page.keyboard.press('Control+k')
      const field = page.getByRole('combobox')
      await field.waitFor()
      await page.keyboard.type('start api')
      await page.getByRole('option', { selected: true }).getByText('Start api').waitFor()
      await checkPage(t, page, 'palette')
      await page.keyboard.press('Enter')
      await row('api').getByText('Ready').waitFor()
      await page.keyboard.press('g')
      await page.keyboard.press('l')
      await page.waitForURL('**/logs')
      await page.goBack()
      await page.waitForURL(url => url.pathname === '/')
    })

    await t.test('keys do nothing in a field', async t => {
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox').waitFor()
      await page.keyboard.type('gl?r')
      t.equal(await page.getByRole('combobox').inputValue(), 'gl?r')
      await page.keyboard.press('Escape')
      await page.getByRole('combobox').waitFor({ state: 'hidden' })
      t.equal(new URL(page.url()).pathname, '/')
    })

    await t.test('a dialog that closes gives the focus back to the row', async t => {
      for (const [key, field] of [
        ['Control+k', page.getByRole('combobox')],
        ['?', page.getByRole('dialog', { name: 'Keys' })],
      ] as const) {
        await row('api').focus()
        await page.keyboard.press(key)
        await field.waitFor()
        await page.keyboard.press('Escape')
        await field.waitFor({ state: 'hidden' })
        t.equal(await focusedService(), 'keys:api', key)
      }
    })

    await t.test('lists the keys, in all looks', async t => {
      for (const look of looks) {
        const other = await dashboard.visit('/', look)
        await other.locator('tr[data-service]').first().waitFor()
        await other.keyboard.press('?')
        await other.getByRole('dialog').getByText('Go to Logs').waitFor()
        await checkPage(t, other, `keys-${look.size}-${look.theme}`)
        await other.close()
      }
    })

    await t.test('the menu of a row lists what can be done, with the words of the CLI', async t => {
      await row('web').getByRole('button', { name: 'Actions of web' }).focus()
      await page.keyboard.press('Enter')
      await page.getByRole('menuitem', { name: /Restart web with dependents/ }).waitFor()
      await page.getByRole('menu').getByText('locald restart --dependents keys:web').waitFor()
      const { height = 0 } = (await page.getByRole('menu').boundingBox()) ?? {}
      t.ok(height > 200, `${height} px`)
      await checkPage(t, page, 'menu')
      const items = page.getByRole('menuitem')
      await page.keyboard.press('End')
      t.equal(await page.evaluate('document.activeElement.textContent'), await items.last().textContent())
      await page.keyboard.press('Home')
      t.equal(await page.evaluate('document.activeElement.textContent'), await items.first().textContent())
      await page.keyboard.press('Escape')
      await page.getByRole('menu').waitFor({ state: 'hidden' })
    })

    function focusedService(): Promise<unknown> {
      return page.evaluate("document.activeElement.closest('[data-service]')?.dataset.service")
    }
  },
  { timeout: 240_000, skip: noBrowser },
)
