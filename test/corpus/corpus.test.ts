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
import { type Result, summaryOf } from './results.ts'
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
  const results: Result[] = []
  t.teardown(() => process.stdout.write(`\n${summaryOf(results)}\n`))
  for (const recipe of recipes.filter(isChosen)) {
    const { name } = recipe
    const missing = await packages.missing(recipe.programs ?? [])
    if (missing.length > 0) {
      results.push({ name, outcome: 'not tried', why: `there is no ${missing.join(', ')}` })
      continue
    }
    const result: Result = { name, outcome: 'no' }
    results.push(result)
    await t.test(name, { timeout: recipeMs }, async t => {
      try {
        await visit(recipe, result)
        result.outcome = 'yes'
        t.pass(summaryOf([result]))
      } catch (error) {
        result.why = error instanceof Error ? error.message : String(error)
        throw error
      }
    })
  }

  async function visit(recipe: Recipe, result: Result): Promise<void> {
    const { name, domain = `${name}.localhost`, edit } = recipe
    const folder = sandbox.project(name, filesOf(recipe))
    const env = await packages.install(recipe, folder)
    const began = Date.now()
    const hostOf = (label: string) => (label === '' ? domain : `${label}.${domain}`)
    try {
      const events = await sandbox.up(folder, [], { limitMs: 240_000, env })
      result.readyMs = Date.now() - began
      result.why = events.flatMap(each => (each.event === 'warning' ? each.message : [])).join('; ')
      const port = await sandbox.https()
      for (const [label, text] of Object.entries(recipe.answers)) await waitForText(port, hostOf(label), text)
      result.answeredMs = Date.now() - began
      if (edit === undefined) return
      const change = { ...edit, file: join(folder, edit.file) }
      result.changedMs = await waitForEdit(sandbox, browser, `https://${hostOf('')}:${port}/`, change)
    } catch (error) {
      const lines = (await sandbox.logs(folder).catch(() => [])).map(({ text }) => text)
      throw new Error(`${error}\n${lines.slice(-30).join('\n')}`)
    } finally {
      await sandbox.run(['stop'], { cwd: folder })
    }
  }
})
