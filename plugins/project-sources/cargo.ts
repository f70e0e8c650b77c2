import { parse, TomlError } from 'smol-toml'
import type { Detection, ProjectDetector, ProjectFolder, Unsuitable } from '../../kernel/contract/plugin.ts'
import { fieldOf, textOf } from '../lib/json.ts'
import { faultIn } from './fault.ts'
import { compileSeconds, mainNames } from './go.ts'
import { findPackageFolders } from './workspace-patterns.ts'

/** Cargo: the only binary of the package or workspace, the one of `default-run`, or the one with the name of a server. */
export const cargo: ProjectDetector = {
  files: ['Cargo.toml', 'src'],
  async detect(folder) {
    const text = await folder.read('Cargo.toml')
    if (text === undefined) return undefined
    const manifest = parseManifest('Cargo.toml', text)
    const name = textOf(manifest, 'package', 'name')
    const binaries =
      name === undefined ? await binariesOfMembers(folder, manifest) : await findBinaries(folder, '.', manifest, name)
    if (textOf(manifest, 'package', 'default-run') !== undefined) return detection('cargo run')
    const [first, ...others] = binaries
    if (first === undefined) return unsuitable('Cargo.toml has no binary')
    if (others.length === 0) return detection(name === undefined ? `cargo run --bin ${first}` : 'cargo run')
    const main = [...mainNames, name].find(each => each !== undefined && binaries.includes(each))
    if (main !== undefined) return detection(`cargo run --bin ${main}`)
    return unsuitable(`Cargo.toml has several binaries: ${binaries.join(', ')}`, first)
  },
}

function detection(command: string): Detection {
  return { file: 'Cargo.toml', services: { web: { command, ready_timeout: compileSeconds } } }
}

function unsuitable(reason: string, binary = 'server'): Unsuitable {
  return { reason, example: { web: { command: `cargo run --bin ${binary}`, ready_timeout: compileSeconds } } }
}

/** Packages of a workspace that are read. */
const memberLimit = 50

async function binariesOfMembers(folder: ProjectFolder, manifest: unknown): Promise<readonly string[]> {
  const members = fieldOf(manifest, 'workspace', 'members')
  const patterns = Array.isArray(members) ? members.filter(each => typeof each === 'string') : []
  const { folders } = await findPackageFolders(folder, patterns)
  const found: string[] = []
  for (const dir of folders.slice(0, memberLimit)) {
    const file = `${dir}/Cargo.toml`
    const text = await folder.read(file)
    const member = text === undefined ? undefined : parseManifest(file, text)
    const name = textOf(member, 'package', 'name')
    if (name !== undefined) found.push(...(await findBinaries(folder, dir, member, name)))
  }
  return [...new Set(found)]
}

async function findBinaries(
  folder: ProjectFolder,
  dir: string,
  manifest: unknown,
  name: string,
): Promise<readonly string[]> {
  const at = (path: string) => (dir === '.' ? path : `${dir}/${path}`)
  const listed = fieldOf(manifest, 'bin')
  const tables: readonly unknown[] = Array.isArray(listed) ? listed : []
  const named = tables.flatMap(table => textOf(table, 'name') ?? [])
  const paths = tables.map(table => textOf(table, 'path'))
  const isMainNamed = paths.includes('src/main.rs')
  const main = !isMainNamed && (await folder.has(at('src/main.rs'))) ? [name] : []
  const others = (await folder.list(at('src/bin'))).flatMap(({ name, kind }) => {
    if (paths.includes(`src/bin/${name}`)) return []
    return kind === 'folder' ? [name] : name.endsWith('.rs') ? [name.slice(0, -'.rs'.length)] : []
  })
  return [...new Set([...main, ...named, ...others])].filter(binary => /^[\w-]+$/.test(binary))
}

function parseManifest(file: string, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    throw faultIn(file, 'is not valid TOML', error instanceof TomlError ? error.line : undefined)
  }
}
