import type { ProjectSource } from '../../kernel/contract/plugin.ts'
import { packageManagerOf } from './package-manager.ts'

/** A Procfile: `name: command` on each line; `web` gets a port and a name, all others are workers. */
export const procfile: ProjectSource = {
  file: 'Procfile',
  read(text) {
    const services = new Map<string, Record<string, unknown>>()
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (/^\s*(?:#|$)/.test(line)) continue
      const [, name, command] = /^\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*?)\s*$/.exec(line) ?? []
      if (name === undefined || command === undefined) throw new Error(`line ${index + 1} is not 'name: command'`)
      const label = name.toLowerCase().replaceAll('_', '-')
      if (services.has(label)) throw new Error(`line ${index + 1} names '${name}' again`)
      services.set(label, { type: label === 'web' ? 'exec' : 'worker', command })
    }
    return services.size === 0 ? undefined : Object.fromEntries(services)
  },
}

/** package.json: its `dev` script, else its `start` script, as the service `web`, run by the package's own manager. */
export const packageJson: ProjectSource = {
  file: 'package.json',
  description: 'a package.json with a `dev` or `start` script',
  read(text, folder) {
    const manifest: unknown = JSON.parse(text)
    if (typeof manifest !== 'object' || manifest === null || !('scripts' in manifest)) return undefined
    const { scripts } = manifest
    if (typeof scripts !== 'object' || scripts === null) return undefined
    const script = ['dev', 'start'].find(name => typeof Reflect.get(scripts, name) === 'string')
    if (script === undefined) return undefined
    return { web: { type: 'exec', command: `${packageManagerOf(manifest, folder)} run ${script}` } }
  },
}
