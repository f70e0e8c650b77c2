/**
 * Small projects as people have them, each started by `locald up` without a locald.toml. In CI the fast ones, all at
 * night (`LOCALD_NIGHTLY=1`); `LOCALD_CORPUS=astro,flask` names some.
 */
import { dirname, join } from 'node:path'
import t from 'tap'
import { openBrowser } from '../lib/browser.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { Packages } from './install.ts'
import { filesOf, type Recipe } from './recipe.ts'
import { recipes } from './recipes/index.ts'
import { waitForEdit, waitForText } from './visit.ts'

const { LOCALD_CORPUS: named, LOCALD_NIGHTLY: nightly } = process.env
const names = named?.split(',')
/** ms, with the installation. */
const recipeMs = nightly === '1' || names !== undefined ? 900_000 : 60_000

t.setTimeout(nightly === '1' || names !== undefined ? 4 * 3_600_000 : 240_000)

function isChosen({ name, isFast }: Recipe): boolean {
  return names === undefined ? nightly === '1' || isFast === true : names.includes(name)
}

t.test('no two projects have the same name', async t => {
  const all = recipes.map(({ name }) => name)
  t.strictSame(all, [...new Set(all)])
})

t.test('small projects come up in one command', async t => {
  // Where Go's own archive puts it.
  const sandbox = new Sandbox(t, {
    env: { PATH: `${dirname(process.execPath)}:/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin` },
  })
  const packages = new Packages(sandbox)
  const browser = await openBrowser(t)
  for (const recipe of recipes.filter(isChosen)) {
    const missing = await packages.missing(recipe.programs ?? [])
    if (missing.length > 0) {
      t.comment(`${recipe.name}: there is no ${missing.join(', ')}`)
      continue
    }
    await t.test(recipe.name, { timeout: recipeMs }, async t => {
      const folder = sandbox.project(recipe.name, filesOf(recipe))
      await packages.install(recipe, folder)
      const began = Date.now()
      const events = await sandbox.up(folder, [], { limitMs: 240_000, env: packages.env })
      const readyMs = Date.now() - began
      const port = await sandbox.https()
      const { domain = `${recipe.name}.localhost` } = recipe
      const hostOf = (label: string) => (label === '' ? domain : `${label}.${domain}`)
      try {
        for (const [label, text] of Object.entries(recipe.answers)) await waitForText(port, hostOf(label), text)
        const answerMs = Date.now() - began
        const { edit } = recipe
        const changed = edit && { ...edit, file: join(folder, edit.file) }
        const editMs = changed && (await waitForEdit(sandbox, browser, `https://${hostOf('')}:${port}/`, changed))
        const warnings = events.flatMap(each => (each.event === 'warning' ? each.message : []))
        t.pass(
          `${recipe.name}: ready ${readyMs} ms, answered ${answerMs} ms, changed ${editMs ?? '-'} ms ${warnings.join('; ')}`,
        )
      } catch (error) {
        const lines = (await sandbox.logs(folder)).map(({ text }) => text)
        throw new Error(`${error}\n${lines.slice(-30).join('\n')}`)
      } finally {
        await sandbox.run(['stop'], { cwd: folder })
      }
    })
  }
})
