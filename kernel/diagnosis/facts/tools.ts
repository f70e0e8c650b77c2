import { join } from 'node:path'
import coerce from 'semver/functions/coerce.js'
import satisfies from 'semver/functions/satisfies.js'
import validRange from 'semver/ranges/valid.js'
import { readTextFile } from '../../lib/text-file.ts'
import { type Case, type Fact, likely, shellWord } from '../fact.ts'
import { foldersOf } from '../subject.ts'

/** Where projects write which version of a tool they need. */
interface Requirement {
  readonly tool: string
  readonly file: string
  readonly pattern: RegExp
}

const requirements: readonly Requirement[] = [
  { tool: 'node', file: '.nvmrc', pattern: /^v?(\d[\w.]*)\s*$/m },
  { tool: 'node', file: '.node-version', pattern: /^v?(\d[\w.]*)\s*$/m },
  { tool: 'node', file: '.tool-versions', pattern: /^nodejs (\d[\w.]*)/m },
  { tool: 'node', file: 'package.json', pattern: /"engines"\s*:\s*\{[^}]*"node"\s*:\s*"([^"]+)"/ },
  { tool: 'python3', file: '.python-version', pattern: /^(\d[\w.]*)\s*$/m },
  { tool: 'python3', file: '.tool-versions', pattern: /^python (\d[\w.]*)/m },
  { tool: 'python3', file: 'pyproject.toml', pattern: /^requires-python\s*=\s*"([^"]+)"/m },
  { tool: 'ruby', file: '.ruby-version', pattern: /^(?:ruby-)?(\d[\w.]*)\s*$/m },
]

/** Managers of versions, by a variable that they set in a shell, and the command that selects the project's version. */
const selectors = [
  ['FNM_DIR', 'fnm use'],
  ['NVM_DIR', 'nvm use'],
  ['MISE_SHELL', 'mise install'],
  ['ASDF_DIR', 'asdf install'],
] as const

/** Finds tools of another version than when the service was well, or than the project requires. */
export async function toolFacts(it: Case): Promise<readonly Fact[]> {
  const facts = Object.entries(it.tools).map(async ([tool, version]): Promise<readonly Fact[]> => {
    const unmet = await findUnmet(it, tool, version)
    const old = it.before?.tools[tool]
    const isChanged = old !== undefined && old !== version
    if (!isChanged && unmet === undefined) return []
    const required = unmet === undefined ? '' : isChanged ? `; ${unmet}` : `, but ${unmet}`
    const isNamed = it.evidence.isOtherVersion || (it.evidence.isSyntax && isChanged)
    const base = isChanged ? (unmet === undefined ? likely.changed + 3 : likely.reported) : likely.nearby + 15
    return [
      {
        score: isNamed ? likely.named + (isChanged ? 6 : 4) : base,
        kind: 'tool',
        text: `${tool} is ${version}${isChanged ? `; it was ${old}` : ''}${required}`,
        command: selecting(it, tool),
        atMs: null,
      },
    ]
  })
  return (await Promise.all(facts)).flat()
}

/** Returns the requirement that a version does not meet: ".nvmrc requires 22". */
async function findUnmet(it: Case, tool: string, version: string): Promise<string | undefined> {
  const present = coerce(version)
  if (present === null) return undefined
  for (const folder of foldersOf(it)) {
    for (const { file, pattern } of requirements.filter(each => each.tool === tool)) {
      const read = await readTextFile(join(folder, file))
      const [, wanted] = (read !== undefined && 'text' in read && pattern.exec(read.text)) || []
      // Python separates the parts of a range by commas.
      const range = wanted === undefined ? null : validRange(wanted.replaceAll(',', ' ').replaceAll('~=', '~'))
      if (range !== null && !satisfies(present, range)) return `${file} requires ${wanted}`
    }
  }
  return undefined
}

function selecting({ env, plan }: Case, tool: string): string {
  const [, select] = selectors.find(([variable]) => env[variable] !== undefined) ?? []
  const name = shellWord(plan.name)
  return select === undefined ? `locald run ${name} -- ${tool} --version` : `${select} && locald restart ${name}`
}
