import { join } from 'node:path'
import { readTextFile } from '../../lib/text-file.ts'
import { exists } from '../../system/stat.ts'
import { type Case, type Fact, likely, shellWord } from '../fact.ts'
import { foldersOf } from '../subject.ts'

/** Files that show which tool migrates a database, and its command. */
const migrators = [
  ['manage.py', 'python3 manage.py migrate'],
  ['alembic.ini', 'alembic upgrade head'],
  ['prisma/schema.prisma', 'npx prisma migrate deploy'],
  ['bin/rails', 'bin/rails db:migrate'],
  ['artisan', 'php artisan migrate'],
] as const

/** Finds a database without the tables that the service expects, and memory that ran out. */
export async function dataFacts(it: Case): Promise<readonly Fact[]> {
  return [...(await missingTable(it)), ...outOfMemory(it)]
}

async function missingTable(it: Case): Promise<readonly Fact[]> {
  const { table } = it.evidence
  if (table === undefined) return []
  return [
    {
      score: likely.proven - 2,
      kind: 'data',
      text: `the database has no ${table}: a migration has not run, or its data was removed`,
      command: await migrating(it),
      atMs: null,
    },
  ]
}

/** Returns the command that migrates the project's database. */
async function migrating(it: Case): Promise<string | null> {
  const service = it.project.plan.services.find(({ name }) => /migrat/i.test(name) && name !== it.plan.name)
  if (service !== undefined) return `locald restart ${shellWord(service.name)}`
  const run = `locald run ${shellWord(it.plan.name)} --`
  for (const folder of foldersOf(it)) {
    const read = await readTextFile(join(folder, 'package.json'))
    const text = read !== undefined && 'text' in read ? read.text : ''
    const [, script] =
      /"((?:[\w-]+:)*(?:migrate|migrations?)(?::(?:up|run|deploy|dev|latest))?|db:push)"\s*:\s*"/.exec(text) ?? []
    if (script !== undefined) return `${run} npm run ${script}`
    for (const [file, command] of migrators) if (await exists(join(folder, file))) return `${run} ${command}`
  }
  return null
}

function outOfMemory({ evidence, plan }: Case): readonly Fact[] {
  if (!evidence.isOutOfMemory) return []
  const isHeap = /JavaScript heap/.test(evidence.text)
  return [
    {
      score: isHeap ? likely.named : likely.reported,
      kind: 'memory',
      text: isHeap
        ? 'the JavaScript heap reached its limit'
        : `${plan.name} was killed, most likely for lack of memory`,
      command: isHeap ? null : `locald status ${shellWord(plan.name)}`,
      atMs: null,
    },
  ]
}
