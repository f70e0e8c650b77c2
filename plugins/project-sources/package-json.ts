import { join } from 'node:path'
import type { ProjectDetector, ProjectFolder, ServiceTables } from '../../kernel/contract/plugin.ts'
import { isBuild, isLocald, isServer } from './command-line.ts'
import { faultIn } from './fault.ts'
import { type Manifest, readManifest, resolveScript, scriptNames, scriptOf } from './manifest.ts'
import { packageManagerOf } from './package-manager.ts'

/** package.json: the first of its scripts that serves, as the service `web`, run by the package's own manager. */
export const packageJson: ProjectDetector = {
  files: ['package.json', 'server.js'],
  description: 'a package.json with a `dev` or `start` script',
  async detect(folder) {
    const manifest = await readManifest(folder)
    if (manifest === undefined) return undefined
    const script = chooseScript(manifest)
    if (script !== undefined)
      return { file: 'package.json', services: { web: { command: runScript(folder, manifest, script) } } }
    // What `npm start` runs without a script.
    if (scriptOf(manifest, 'start') === undefined && (await folder.has('server.js')))
      return { file: 'package.json', services: { web: { command: 'node server.js' } } }
    const example = { web: { command: 'node server.js' } }
    const builds = scriptNames.find(name => scriptOf(manifest, name) !== undefined)
    if (builds !== undefined) {
      const does = isLocald(resolveScript(manifest, scriptOf(manifest, builds) ?? '')) ? 'starts locald' : 'only builds'
      return { reason: `script \`${builds}\` of package.json ${does}`, example }
    }
    return { reason: `package.json has no script ${scriptNames.map(name => `\`${name}\``).join(', ')}`, example }
  },
}

/** Returns the first script that neither only builds nor starts locald, of those with these names. */
export function chooseScript(manifest: Manifest, names: readonly string[] = scriptNames): string | undefined {
  return names.find(name => {
    const script = scriptOf(manifest, name)
    if (script === undefined) return false
    const run = resolveScript(manifest, script)
    return !isBuild(run) && !isLocald(run)
  })
}

/** Returns the command that runs a script of the project's package.json. */
export function runScript(folder: ProjectFolder, manifest: Manifest, script: string): string {
  return `${managerAt(folder, manifest)} run ${script}`
}

/** Returns the package manager of the project. */
export function managerAt(folder: ProjectFolder, { content, dir }: Manifest): string {
  try {
    return packageManagerOf(content, join(folder.path, dir))
  } catch (error) {
    throw faultIn('package.json', error instanceof Error ? error.message : String(error))
  }
}

/**
 * Returns the service `assets` of a project in another language whose front end has a `dev` script: with a port where
 * that is a known server.
 */
export async function assetsOf(folder: ProjectFolder): Promise<ServiceTables> {
  const manifest = await readManifest(folder)
  const script = manifest === undefined ? undefined : scriptOf(manifest, 'dev')
  if (manifest === undefined || script === undefined) return {}
  const command = runScript(folder, manifest, 'dev')
  if (isLocald(resolveScript(manifest, script))) return {}
  return { assets: isServer(resolveScript(manifest, script)) ? { command } : { type: 'worker', command } }
}
