/**
 * Generates files from the command data: `npm run generate`. It writes cli/args/plugin-commands.ts, from the commands
 * of the built-in plugins, and the reference in docs/commands.md. Both are committed; test/cli/generated.test.ts fails
 * when they are outdated.
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
