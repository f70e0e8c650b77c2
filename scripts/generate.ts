/**
 * Writes what is made from the command data: `npm run generate`. cli/args/plugin-commands.ts from the commands of the plugins that ship, and
 * the reference in docs/commands.md. Both are committed; test/cli/generated.test.ts fails where they do not agree.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { commandReference, findPluginCommands, pluginCommandEntries, replaceGenerated } from './command-docs.ts'

const root = resolve(import.meta.dirname, '..', '..')
const found = await findPluginCommands()
const texts = {
  'cli/args/plugin-commands.ts': pluginCommandEntries(found),
  'docs/commands.md': commandReference(found),
}

for (const [file, text] of Object.entries(texts)) {
  const path = join(root, file)
  writeFileSync(path, replaceGenerated(readFileSync(path, 'utf8'), text))
}
