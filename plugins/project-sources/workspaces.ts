import { basename } from 'node:path'
import {
  type Detection,
  labelOf,
  type ProjectDetector,
  type ProjectFolder,
  type Unsuitable,
} from '../../kernel/contract/plugin.ts'
import { isBuild, isLocald } from './command-line.ts'
import { chooseMain } from './main-package.ts'
import { type Manifest, readManifest, resolveScript, scriptOf } from './manifest.ts'
import { managerAt } from './package-json.ts'
import { findPackageFolders, readPatterns } from './workspace-patterns.ts'
import { isRunner, selectPackages } from './workspace-runner.ts'

/** Packages that are read, and those that become services. */
const [packageLimit, serviceLimit] = [500, 20]
const openLimit = 32

/**
 * Workspaces of npm, pnpm, yarn and bun: each package with a `dev` script is a service. The root's own script is not
 * used where it only runs those of the packages.
 */
export const workspaces: ProjectDetector = {
  files: ['pnpm-workspace.yaml', 'package.json'],
  async detect(folder) {
    const root = await readManifest(folder)
    const found = await readPatterns(folder, root?.content)
    if (found === undefined) return undefined
    const { folders, isWhole } = await findPackageFolders(folder, found.patterns)
    const packages = await readPackages(folder, folders.filter(dir => dir !== '.').slice(0, packageLimit))
    const isCut = !isWhole || folders.length > packageLimit
    const notes = isCut ? [`only the first ${packages.length} packages of ${found.file} were read`] : []
    return toDetection({ folder, root, packages, file: found.file, notes })
  },
}

/** Reads the manifests of folders that have one; of some at a time, as each is an open file. */
async function readPackages(folder: ProjectFolder, dirs: readonly string[]): Promise<readonly Manifest[]> {
  const packages: (Manifest | undefined)[] = []
  for (let at = 0; at < dirs.length; at += openLimit)
    packages.push(...(await Promise.all(dirs.slice(at, at + openLimit).map(dir => readManifest(folder, dir)))))
  return packages.filter(manifest => manifest !== undefined)
}

interface Workspace {
  readonly folder: ProjectFolder
  readonly root: Manifest | undefined
  readonly packages: readonly Manifest[]
  readonly file: string
  readonly notes: readonly string[]
}

/** A package with the script that starts it. */
interface Startable extends Manifest {
  readonly script: string
  /** What the script runs. */
  readonly text: string
  /** The name of its service. */
  readonly label: string
  /** It only builds: it has no port. */
  readonly isWorker: boolean
}

function toDetection({ folder, root, packages, file, notes }: Workspace): Detection | Unsuitable | undefined {
  const scripts = packages.some(one => chooseFrom(one, devScripts) !== undefined) ? devScripts : startScripts
  const own = root === undefined ? undefined : toStartable(root, scripts)
  const isRunByOwn = own !== undefined && isRunner(own.text)
  const started = (isRunByOwn ? selectPackages(own.text, packages) : packages).flatMap(
    one => toStartable(one, scripts) ?? [],
  )
  if (started.length === 0) return undefined
  if (started.length > serviceLimit) return own === undefined ? tooMany(started) : undefined
  const named = withMain(withLabels(own === undefined || isRunByOwn ? started : [own, ...started]), folder)
  const manager = root === undefined ? 'pnpm' : managerAt(folder, root)
  const renamed = named.find(({ label, main }) => main !== undefined && main !== label)
  return {
    file,
    services: Object.fromEntries(named.map(one => [one.main ?? one.label, toService(one, manager)])),
    files: Object.fromEntries(named.map(one => [one.main ?? one.label, fileOf(one)])),
    notes: [
      ...notes,
      ...(renamed === undefined ? [] : [`${renamed.dir} is the service web, which has the project's domain`]),
      ...(isRunByOwn ? [`script \`${own.script}\` of package.json runs those of the packages`] : []),
    ],
    watched: [...new Set([file, 'package.json', ...named.map(fileOf)])],
  }
}

const devScripts = ['dev', 'start:dev']
const startScripts = ['start', 'serve']

function chooseFrom(manifest: Manifest, names: readonly string[]): string | undefined {
  return names.find(name => scriptOf(manifest, name) !== undefined)
}

/** A script that only builds is worth a worker while it is for development: it watches. */
function toStartable(manifest: Manifest, names: readonly string[]): Startable | undefined {
  const script = chooseFrom(manifest, names)
  if (script === undefined) return undefined
  const text = resolveScript(manifest, scriptOf(manifest, script) ?? '')
  if (isLocald(text)) return undefined
  const isWorker = isBuild(text)
  if (isWorker && names !== devScripts) return undefined
  const ownName = manifest.name?.replace(/^@[^/]*\//, '') ?? basename(manifest.dir)
  return { ...manifest, script, text, isWorker, label: labelOf(ownName, 'package') }
}

/** Packages with the same name get that of their folder, with the folders above it where that is taken, too. */
function withLabels(all: readonly Startable[]): readonly Startable[] {
  const isUnique = (label: string) => all.filter(one => one.label === label).length === 1
  const taken = new Set(all.map(({ label }) => label).filter(isUnique))
  return all.map(one => {
    if (isUnique(one.label)) return one
    const path = labelOf(one.dir, 'package')
    const label = [
      labelOf(basename(one.dir), 'package'),
      path,
      ...all.map((_, index) => `${path.slice(0, 58)}-${index + 2}`),
    ].find(name => !taken.has(name))
    taken.add(label ?? one.label)
    return { ...one, label: label ?? one.label }
  })
}

/** Adds the name `web` to the main one of several, unless another one has it. */
function withMain(
  named: readonly Startable[],
  folder: ProjectFolder,
): readonly (Startable & { readonly main?: string })[] {
  const candidates = named.filter(({ isWorker }) => !isWorker)
  const main = candidates.length > 1 ? chooseMain(candidates, labelOf(basename(folder.path))) : undefined
  if (named.some(({ label }) => label === 'web')) return named
  return named.map(one => (one === main ? { ...one, main: 'web' } : one))
}

function toService({ dir, script, isWorker }: Startable, manager: string): Readonly<Record<string, unknown>> {
  return {
    ...(isWorker ? { type: 'worker' } : {}),
    command: `${manager} run ${script}`,
    ...(dir === '.' ? {} : { workdir: dir }),
  }
}

function fileOf({ dir }: Manifest): string {
  return dir === '.' ? 'package.json' : `${dir}/package.json`
}

function tooMany(started: readonly Startable[]): Unsuitable {
  const [first] = started
  return {
    reason: `${started.length} packages of the workspaces have a script to start, more than ${serviceLimit}`,
    example: first === undefined ? {} : { web: toService({ ...first, isWorker: false }, 'npm') },
  }
}
