import { labelOf, type ProjectDetector } from '../../kernel/contract/plugin.ts'
import { isServer } from './command-line.ts'
import { faultIn } from './fault.ts'
import { type Manifest, readManifest, resolveScript } from './manifest.ts'

/**
 * A Procfile: `name: command` on each line. `web`, and each line that uses `$PORT` or runs a known server, also by a
 * script of package.json, gets a port and a name; all others are workers.
 */
export function procfile(file: 'Procfile.dev' | 'Procfile'): ProjectDetector {
  return {
    files: [file, 'package.json'],
    ...(file === 'Procfile' ? { description: 'a `Procfile`' } : {}),
    async detect(folder) {
      const text = await folder.read(file)
      if (text === undefined) return undefined
      const entries = readEntries(file, text)
      if (entries.size === 0) return undefined
      const manifest = await readManifest(folder)
      const services = [...entries].map(([name, command]) => [name, toService(name, command, manifest)] as const)
      return { file, services: Object.fromEntries(services) }
    },
  }
}

function readEntries(file: string, text: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const [, name, command] = /^([A-Za-z0-9_-]+)\s*:\s*(\S.*)$/.exec(text) ?? []
    if (name === undefined || command === undefined) throw faultIn(file, "is not 'name: command'", index + 1)
    const label = labelOf(name)
    if (entries.has(label)) throw faultIn(file, `names '${name}' again`, index + 1)
    entries.set(label, command)
  }
  return entries
}

function toService(name: string, command: string, manifest: Manifest | undefined): Readonly<Record<string, unknown>> {
  const run = manifest === undefined ? command : resolveScript(manifest, command)
  return name === 'web' || isServer(command) || isServer(run) ? { command } : { type: 'worker', command }
}
