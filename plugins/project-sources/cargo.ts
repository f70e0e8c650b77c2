import { parse, TomlError } from 'smol-toml'
import type { ProjectDetector, ProjectFolder, Unsuitable } from '../../kernel/contract/plugin.ts'
import { fieldOf, textOf } from '../lib/json.ts'
import { faultIn } from './fault.ts'
import { compileSeconds } from './go.ts'

/** Cargo: the package with one binary, or with `default-run`. */
export const cargo: ProjectDetector = {
  files: ['Cargo.toml', 'src'],
  async detect(folder) {
    const text = await folder.read('Cargo.toml')
    if (text === undefined) return undefined
    const manifest = parseManifest(text)
    const name = textOf(manifest, 'package', 'name')
    if (name === undefined) return unsuitable('Cargo.toml has no package, only a workspace')
    const binaries = await findBinaries(folder, manifest, name)
    const isClear = binaries.length === 1 || textOf(manifest, 'package', 'default-run') !== undefined
    if (isClear)
      return { file: 'Cargo.toml', services: { web: { command: 'cargo run', ready_timeout: compileSeconds } } }
    if (binaries.length === 0) return unsuitable('Cargo.toml has no binary')
    const [first] = binaries
    return unsuitable(`Cargo.toml has several binaries: ${binaries.join(', ')}`, first)
  },
}

function unsuitable(reason: string, binary = 'server'): Unsuitable {
  return { reason, example: { web: { command: `cargo run --bin ${binary}`, ready_timeout: compileSeconds } } }
}

async function findBinaries(folder: ProjectFolder, manifest: unknown, name: string): Promise<readonly string[]> {
  const listed = fieldOf(manifest, 'bin')
  const tables: readonly unknown[] = Array.isArray(listed) ? listed : []
  const named = tables.flatMap(table => textOf(table, 'name') ?? [])
  const paths = tables.map(table => textOf(table, 'path'))
  const isMainNamed = paths.includes('src/main.rs')
  const main = !isMainNamed && (await folder.has('src/main.rs')) ? [name] : []
  const others = (await folder.list('src/bin')).flatMap(({ name, kind }) => {
    if (paths.includes(`src/bin/${name}`)) return []
    return kind === 'folder' ? [name] : name.endsWith('.rs') ? [name.slice(0, -'.rs'.length)] : []
  })
  return [...new Set([...main, ...named, ...others])].filter(binary => /^[\w-]+$/.test(binary))
}

function parseManifest(text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    throw faultIn('Cargo.toml', 'is not valid TOML', error instanceof TomlError ? error.line : undefined)
  }
}
