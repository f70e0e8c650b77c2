import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckResult } from '../../../kernel/contract/plugin.ts'
import { installHint } from '../engines/install-hint.ts'
import { type EngineMachine, hasClient, hasProgramNow } from '../engines/machine.ts'
import { pass, skip, warn } from './result.ts'

/** A range of ids that a user may map into a user namespace: a line of subuid(5). */
interface IdRange {
  readonly owner: string
  readonly first: number
  readonly count: number
}

/** Images expect as many users: `nobody` is 65534. */
const wanted = 65_536
/** Where useradd(8) begins to give ranges. */
const firstId = 100_000

/** The user of the daemon, and the root of system files, which a test replaces. */
export interface IdUser {
  readonly name: string
  readonly uid: number
  readonly root: string
}

/** Checks what rootless podman needs of the system: ranges of ids of this user alone, and the programs that map them. */
export async function checkRootless(machine: EngineMachine, { name, uid, root }: IdUser): Promise<CheckResult> {
  const title = 'Rootless containers'
  if (machine.os !== 'linux' || !hasClient(machine, 'podman')) return skip(`${title}: podman is not installed here`)
  if (uid === 0) return pass(`${title}: not needed, as locald runs as root`)
  if (!hasProgramNow(['newuidmap'], machine.env['PATH']))
    return warn(`${title}: newuidmap is not installed`, installHint(machine, 'uidmap'))
  const files = ['subuid', 'subgid']
  const ranges = await Promise.all(files.map(file => readRanges(join(root, 'etc', file))))
  const isElsewhere = /^subid:\s*(?!files\s*$)/m.test(await readText(join(root, 'etc', 'nsswitch.conf')))
  if (isElsewhere) return pass(`${title}: ranges of ids come from the name service`)
  const [first] = ranges.flatMap((all, index) => faultOf(all, name, uid, `/etc/${files[index]}`) ?? [])
  if (first === undefined) return pass(`${title}: ${name} has ranges of ids`)
  const start = nextFree(ranges.flat())
  const range = `${start}-${start + wanted - 1}`
  const fix = `Run \`sudo usermod --add-subuids ${range} --add-subgids ${range} ${name}\`: afterwards \`podman system migrate\` applies it.`
  return warn(`${title}: ${first}`, fix)
}

/** Returns what is wrong with a user's ranges in a file. */
function faultOf(all: readonly IdRange[], name: string, uid: number, file: string): string | undefined {
  const isOwn = ({ owner }: IdRange) => owner === name || owner === String(uid)
  const own = all.filter(isOwn)
  const count = own.reduce((sum, range) => sum + range.count, 0)
  if (count === 0) return `${name} has no range in ${file}`
  if (count < wanted) return `${name} has ${count} ids in ${file}, and images need ${wanted}`
  const other = all.find(range => !isOwn(range) && own.some(each => isOverlapping(each, range)))
  return other === undefined ? undefined : `the range of ${name} in ${file} overlaps that of ${other.owner}`
}

function isOverlapping(one: IdRange, other: IdRange): boolean {
  return one.first < other.first + other.count && other.first < one.first + one.count
}

function nextFree(all: readonly IdRange[]): number {
  return Math.max(firstId, ...all.map(({ first, count }) => first + count))
}

async function readRanges(file: string): Promise<readonly IdRange[]> {
  const lines = (await readText(file)).split('\n')
  return lines.flatMap(line => {
    const [, owner, first, count] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? []
    return owner === undefined ? [] : [{ owner, first: Number(first), count: Number(count) }]
  })
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}
