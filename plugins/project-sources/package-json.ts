import { join } from 'node:path'
import {
  type Detection,
  labelOf,
  type ProjectDetector,
  type ProjectFolder,
  type ServiceTables,
} from '../../kernel/contract/plugin.ts'
import { isBuild, isLocald, isServer } from './command-line.ts'
import { faultIn } from './fault.ts'
import { type Manifest, readManifest, resolveScript, scriptNames, scriptOf } from './manifest.ts'
import { findEntry } from './node-entry.ts'
import { packageManagerOf } from './package-manager.ts'
import { isPage, type ParallelCommand, parallelCommands, textOfCommand } from './parallel-scripts.ts'

/** package.json: the first of its scripts that serves, as the service `web`, run by the package's own manager. */
export const packageJson: ProjectDetector = {
  files: ['package.json', 'server.js', 'project.json'],
  description: 'a package.json with a `dev` or `start` script',
  async detect(folder) {
    const manifest = await readManifest(folder)
    if (manifest === undefined) return undefined
    const script = chooseScript(manifest) ?? chooseOther(manifest)
    if (script !== undefined) {
      const command = runScript(folder, manifest, script)
      return (
        (await detectParallel(folder, manifest, script)) ?? { file: 'package.json', services: { web: { command } } }
      )
    }
    const entry = await findEntry(folder, manifest)
    const command = entry === undefined ? 'node server.js' : `node ${entry.file}`
    if (entry?.serves === true && scriptOf(manifest, 'start') === undefined)
      return { file: 'package.json', services: { web: { command } } }
    const example = { web: { command } }
    const builds = scriptNames.find(name => scriptOf(manifest, name) !== undefined)
    if (builds !== undefined) {
      const does = isLocald(resolveScript(manifest, scriptOf(manifest, builds) ?? '')) ? 'starts locald' : 'only builds'
      return { reason: `script \`${builds}\` of package.json ${does}`, example }
    }
    return {
      reason: `package.json has no script ${scriptNames.map(name => `\`${name}\``).join(', ')}`,
      example: (await folder.has('nx.json')) ? { web: { command: 'npx nx serve app' } } : example,
    }
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

/** A script with another name counts where it runs a known server: `docs:dev`. */
function chooseOther(manifest: Manifest): string | undefined {
  const names = Object.keys(manifest.scripts).filter(
    name => !/^(?:pre|post)|test|e2e|lint|build|preview|prod/.test(name),
  )
  const serving = names.filter(name => isServer(resolveScript(manifest, scriptOf(manifest, name) ?? '')))
  return serving.find(name => /(?:^|[:_-])(?:dev|serve|start|watch|develop)/.test(name)) ?? serving[0]
}

/**
 * Returns the services of a script that runs several commands at once, of which one serves pages: that one as `web`, and
 * the others as workers, which listen where their clients expect them: with one $PORT for all, another one would get it.
 */
async function detectParallel(
  folder: ProjectFolder,
  manifest: Manifest,
  script: string,
): Promise<Detection | undefined> {
  const commands = parallelCommands(manifest, resolveScript(manifest, scriptOf(manifest, script) ?? ''))
  if (commands === undefined) return undefined
  const parts: { readonly one: ParallelCommand; readonly own: Manifest | undefined; readonly text: string }[] = []
  for (const one of commands) {
    const own = one.dir === '.' ? manifest : await readManifest(folder, one.dir)
    if (one.dir !== '.' && own === undefined) return undefined
    const text = textOfCommand(one, own)
    parts.push({ one, own, text: own === undefined ? text : resolveScript(own, text) })
  }
  const page = parts.find(({ text }) => isPage(text))
  if (page === undefined || parts.some(({ text }) => isLocald(text))) return undefined
  const labels = new Set(['web'])
  const services: Record<string, Readonly<Record<string, unknown>>> = {}
  for (const { one, own } of [page, ...parts.filter(part => part !== page)]) {
    const isPageOne = one === page.one
    const label = isPageOne ? 'web' : unused(labelOf(one.label, 'command'), labels)
    const command =
      one.script === undefined ? withPackages(one.command) : runScript(folder, own ?? manifest, one.script)
    services[label] = {
      ...(isPageOne ? {} : { type: 'worker' }),
      command,
      ...(one.dir === '.' ? {} : { workdir: one.dir }),
    }
  }
  const note = `script \`${script}\` of package.json runs them at once; all but web listen where they choose`
  return { file: 'package.json', services, notes: [note], watched: ['package.json'] }
}

function unused(label: string, labels: Set<string>): string {
  let name = label
  for (let number = 2; labels.has(name); number++) name = `${label}-${number}`
  labels.add(name)
  return name
}

/** Programs that are not in a package. */
const ofSystem =
  /^(?:[A-Z_]\w*=|(?:node|npm|npx|pnpm|yarn|bun|deno|python[\d.]*|php|ruby|go|cargo|sh|bash|env|cd|make)\b|\.{0,2}\/)/

function withPackages(command: string): string {
  return ofSystem.test(command) ? command : `npx ${command}`
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
