import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { commands } from '../../cli/args/commands.ts'
import { globalFlags } from '../../cli/args/flags.ts'
import { pluginCommands } from '../../cli/args/plugin-commands.ts'
import {
  commandReference,
  findFamiliesWithoutText,
  findPluginCommands,
  pluginCommandEntries,
  replaceGenerated,
} from '../../scripts/command-docs.ts'
import { root } from '../lib/sources.ts'

t.test('the list of plugin commands is that of the plugins which ship', async t => {
  t.strictSame(pluginCommands, await findPluginCommands(), 'run `npm run generate`')
  t.ok(pluginCommands.length >= 3)
  const file = readFileSync(join(root, 'cli', 'args', 'plugin-commands.ts'), 'utf8')
  t.equal(replaceGenerated(file, pluginCommandEntries(pluginCommands)), file, 'as Biome formats it')
})

t.test('docs/commands.md has the reference that the command data makes', async t => {
  const page = readFileSync(join(root, 'docs', 'commands.md'), 'utf8')
  t.equal(page, replaceGenerated(page, commandReference(pluginCommands)), 'run `npm run generate`')
  t.throws(() => replaceGenerated('# Commands\n', ''), /are missing/)
})

t.test('commands and flags begin with a bare verb and have at most 50 characters', async t => {
  const flags = [
    ...commands.flatMap(({ name, flags = [] }) => flags.map(flag => ({ ...flag, of: name }))),
    ...globalFlags,
  ]
  for (const { name, about } of [...commands, ...pluginCommands, ...flags]) {
    t.ok(about.length <= 50, `${name}: ${about} (${about.length})`)
    t.match(about, /^(?:Also )?[A-Z]?[a-z]+ /, `${name}: ${about}`)
    t.notMatch(about, /^[A-Za-z]+(?:s|ing|ed) /, `${name}: ${about}`)
  }
  t.strictSame(findFamiliesWithoutText(), [], 'commands of two words have a line in `locald --help`')
})
