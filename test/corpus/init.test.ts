/** `locald init --yes` writes what an `up` without a file runs. In CI for the fast projects, for all at night. */
import t from 'tap'
import type { ConfigValue } from '../../kernel/protocol.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { filesOf } from './recipe.ts'
import { recipes } from './recipes/index.ts'

const { LOCALD_CORPUS: named, LOCALD_NIGHTLY: nightly } = process.env
const names = named?.split(',')

t.setTimeout(900_000)

t.test('the configuration is the same with the file that init writes as without', async t => {
  const sandbox = new Sandbox(t)
  const valuesIn = async (cwd: string) => {
    const { stdout } = await sandbox.ok(['config', 'show', '--json'], { cwd })
    const { project, values }: { project: string; values: readonly ConfigValue[] } = JSON.parse(stdout)
    const pairs = values.map(({ key, value }): [string, unknown] => [key, value])
    return { project, values: Object.fromEntries(pairs.sort(([one], [other]) => one.localeCompare(other))) }
  }
  for (const recipe of recipes) {
    const { name, isFast } = recipe
    const files = filesOf(recipe)
    if (names === undefined ? nightly !== '1' && isFast !== true : !names.includes(name)) continue
    // A file of its own is not inferred.
    if (Object.hasOwn(files, 'locald.toml')) continue
    const folder = sandbox.project(name, files)
    const before = await valuesIn(folder)
    await sandbox.ok(['init', '--yes'], { cwd: folder })
    t.strictSame(await valuesIn(folder), before, name)
  }
})
