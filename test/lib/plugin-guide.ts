import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { root } from './sources.ts'

/** The files of docs/plugins.md: code blocks that have a name. */
export function guideFiles(): ReadonlyMap<string, string> {
  const guide = readFileSync(join(root, 'docs', 'plugins.md'), 'utf8')
  const blocks = guide.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)
  return new Map([...blocks].map(([, name = '', text = '']) => [name, text]))
}

/** Other blocks of TypeScript in it. */
export function guideSnippets(): readonly string[] {
  const guide = readFileSync(join(root, 'docs', 'plugins.md'), 'utf8')
  return [...guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text)
}

/**
 * Writes the guide's package to a folder and compiles it as its author would, with this locald as what npm would have
 * installed. `more`: other files. Throws with what the compiler says.
 */
export async function buildGuide(folder: string, more: ReadonlyMap<string, string> = new Map()): Promise<void> {
  for (const [name, text] of [...guideFiles(), ...more]) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  await mkdir(join(folder, 'node_modules', '@types'), { recursive: true })
  await symlink(root, join(folder, 'node_modules', 'locald'))
  await symlink(join(root, 'node_modules', '@types', 'node'), join(folder, 'node_modules', '@types', 'node'))
  const { code, said } = node(folder, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'])
  if (code !== 0) throw new Error(`the guide's example does not compile:\n${said}`)
}

/** Runs Node in a folder. */
export function node(folder: string, args: readonly string[]): { readonly code: number | null; readonly said: string } {
  const { PATH, HOME, TMPDIR } = process.env
  const env = { PATH, HOME, TMPDIR }
  const ran = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 60_000, env })
  return { code: ran.status, said: `${ran.stdout}${ran.stderr}` }
}
