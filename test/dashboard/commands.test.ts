import { onHost } from '../e2e/suite.ts'
import { noBrowser } from '../lib/browser.ts'
import { checkPage, openDashboard } from '../lib/dashboard.ts'

/** ms */
const limit = { timeout: 20_000 }

onHost(
  "a service's own commands in the browser",
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const path = sandbox.project('desk', {
      'locald.toml': `[project]
name = "desk"
[services.seed]
type = "worker"
restart = "no"
command = "true"
[services.seed.commands.fresh]
run = 'printf "<%s>" \${size} \${mode} \${note} \${dry}; exit 4'
description = "Fill the database"
args = { size = { type = "integer", default = 100, description = "How many" }, mode = { type = "enum", values = ["a", "b"] }, note = { default = "x" }, dry = { type = "boolean", default = false } }
[services.seed.commands.wipe]
run = "echo all wiped"
confirm = true
[services.seed.commands.plain]
run = "echo as it is"
`,
    })
    await sandbox.run(['up', '--detach'], { cwd: path })
    const dashboard = await openDashboard(t, sandbox)
    const page = await dashboard.visit('/service/desk:seed')
    const commands = page.getByRole('region', { name: 'Commands' })
    const runs = (text: string) => page.locator('.pane[data-run] .xterm-rows').filter({ hasText: text }).waitFor(limit)

    await t.test('asks for the arguments, with their defaults, by the keyboard alone', async t => {
      await commands.getByRole('button', { name: 'Run fresh…' }).focus()
      await page.keyboard.press('Enter')
      const dialog = page.getByRole('dialog', { name: 'Run fresh of seed' })
      await dialog.getByText('Fill the database').waitFor(limit)
      const size = dialog.getByLabel('size: How many')
      t.equal(await size.inputValue(), '100')
      t.equal(await dialog.getByLabel('dry').inputValue(), 'false')
      t.ok(await dialog.getByRole('button', { name: 'Run' }).isDisabled(), 'mode is missing')
      await checkPage(t, page, 'service-command-dialog')
      await size.fill('7')
      await dialog.getByLabel('mode').selectOption('b')
      await dialog.getByLabel('note').fill("it's; $(id)")
      await page.keyboard.press('Enter')
      await runs("<7><b><it's; $(id)><false>")
      await page.getByText('exited with code 4').first().waitFor(limit)
    })

    await t.test('asks before a command with confirm, and runs others at once', async t => {
      await page.goBack()
      await commands.getByRole('button', { name: 'Run wipe…' }).click()
      const question = page.getByRole('dialog', { name: 'Run wipe of seed?' })
      await question.getByRole('button', { name: 'Cancel' }).click()
      await question.waitFor({ state: 'hidden' })
      t.match(page.url(), /\/service\/desk/, 'nothing is run')
      await commands.getByRole('button', { name: 'Run plain' }).click()
      await runs('as it is')
    })

    await t.test('are in the palette, found by name and description', async () => {
      const find = async (words: string, title: string) => {
        await page.goto(`${dashboard.origin}/`)
        await page.locator('tr[data-service="desk:seed"]').waitFor(limit)
        await page.keyboard.press('Control+k')
        await page.getByRole('combobox').waitFor(limit)
        await page.keyboard.type(words)
        await page.getByRole('option', { selected: true }).locator('.title', { hasText: title }).waitFor(limit)
        await page.keyboard.press('Enter')
      }
      await find('fill the database', 'Run fresh of seed…')
      await page.getByRole('dialog', { name: 'Run fresh of seed' }).waitFor(limit)
      await page.keyboard.press('Escape')
      await find('plain seed', 'Run plain of seed')
      await runs('as it is')
    })
  },
  { skip: noBrowser },
)
