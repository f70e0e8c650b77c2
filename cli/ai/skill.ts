import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { LocaldError, messageOf, systemCode } from '../../kernel/errors.ts'
import { createFolder } from '../../kernel/system/create-folder.ts'
import { writeAtomic } from '../../kernel/system/files.ts'
import { versionOf } from '../../kernel/system/package.ts'
import { isFolder } from '../args/folder.ts'
import { flagValue } from '../args/parse.ts'
import type { Context } from '../context.ts'
import { print, printJson } from '../output/terminal.ts'
import { guide } from './guide.ts'

/** Where agents look: the folder that most share, and that of Claude Code. */
const places = ['.agents/skills/locald/SKILL.md', '.claude/skills/locald/SKILL.md']

const body = `---
name: locald
description: Run this project's services with locald. Use when you need a dev server, a database, a URL, logs or the reason why a service fails, and before you start a server in a shell.
---

# locald

locald runs this project's services: it starts them in order, gives each a port and a URL that stay the same, and keeps its logs.

${guide}

\`locald ai context\` prints this project's services and URLs. \`locald --help\` lists all commands. The same is there as MCP tools: \`locald mcp\`.
`

type Outcome = 'written' | 'updated' | 'unchanged' | 'kept'

/** Writes the skill to each place; keeps files that were edited, without `--force`. */
export async function writeSkill({ args, cwd, json }: Context): Promise<number> {
  const folder = resolve(cwd, flagValue(args, 'dir') ?? '.')
  if (!isFolder(folder)) {
    throw new LocaldError('USAGE', `folder ${folder} not found`, { hint: 'Use `locald ai skill --dir DIR`.' })
  }
  const outcomes = places
    .map(place => join(folder, place))
    .map(file => ({ file, outcome: write(file, args.flags.has('force')) }))
  if (json) printJson({ files: outcomes })
  else for (const { file, outcome } of outcomes) print(describe(file, outcome))
  return 0
}

function write(file: string, force: boolean): Outcome {
  const text = sign(body)
  const before = readIfAny(file)
  if (before === text) return 'unchanged'
  if (before !== undefined && !force && !isOurs(before)) return 'kept'
  try {
    createFolder(dirname(file))
    writeAtomic(file, text)
  } catch (error) {
    throw new LocaldError('USAGE', `cannot write ${file}: ${messageOf(error)}`, {
      hint: 'Choose another folder with `--dir DIR`.',
      cause: error,
    })
  }
  return before === undefined ? 'written' : 'updated'
}

/** Adds the version and a hash, by which a later version recognises a file that no one has edited. */
function sign(text: string): string {
  return `${text}\n<!-- locald ${versionOf()} ${hashOf(text)} -->\n`
}

function isOurs(text: string): boolean {
  const [, before = '', hash] = /^([\s\S]*)\n<!-- locald \S+ ([0-9a-f]{16}) -->\n$/.exec(text) ?? []
  return hash === hashOf(before)
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

function readIfAny(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new LocaldError('USAGE', `cannot read ${file}: ${messageOf(error)}`, { cause: error })
  }
}

function describe(file: string, outcome: Outcome): string {
  return outcome === 'kept'
    ? `kept ${file}: it was edited; \`locald ai skill --force\` replaces it`
    : `${outcome} ${file}`
}
