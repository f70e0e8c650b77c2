import { access, constants, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { statIfAny } from '../../system/stat.ts'
import { type Case, clockTime, type Fact, likely, listOf, shellWord } from '../fact.ts'
import { wordsOf } from '../subject.ts'

/** Files that other facts are about. */
const ofOthers =
  /(?:^|\/)(?:\.env(?:\.\w+)?|package-lock\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|uv\.lock|poetry\.lock|locald\.toml)$/

/** Finds files that are missing or may not be used, that were edited, or changed by commits. */
export async function fileFacts(it: Case): Promise<readonly Fact[]> {
  return [...(await missingFiles(it)), ...(await deniedFiles(it)), ...(await editedFiles(it)), ...committedFiles(it)]
}

async function missingFiles({ evidence, git, root, before }: Case): Promise<readonly Fact[]> {
  const facts = evidence.missing.map(async (path): Promise<readonly Fact[]> => {
    // Environment facts say it of these.
    if (before?.envFiles.includes(path) || (await statIfAny(join(root, path))) !== undefined) return []
    const isTracked = git?.isTracked(path) === true
    const isRemoved = git?.committed.has(path) === true
    const how = isTracked || isRemoved ? 'was deleted' : 'does not exist'
    const command = isTracked
      ? `git checkout HEAD -- ${shellWord(path)}`
      : isRemoved && before !== undefined
        ? `git checkout ${before.head.slice(0, 12)} -- ${shellWord(path)}`
        : null
    return [fact(isTracked || isRemoved ? likely.proven : likely.reported, `${path} ${how}`, command)]
  })
  return (await Promise.all(facts)).flat()
}

async function deniedFiles({ evidence, root }: Case): Promise<readonly Fact[]> {
  const facts = evidence.denied.map(async (path): Promise<readonly Fact[]> => {
    const full = join(root, path)
    const found = await stat(full).catch(() => undefined)
    if (found === undefined) return []
    const word = shellWord(path)
    const mode = (found.mode & 0o777).toString(8).padStart(3, '0')
    if (process.getuid?.() !== found.uid)
      return [fact(likely.proven, `${path} belongs to another user (uid ${found.uid})`, `ls -l ${word}`)]
    const lacks = async (which: number) =>
      access(full, which).then(
        () => false,
        () => true,
      )
    if (await lacks(constants.R_OK))
      return [fact(likely.proven, `${path} is not readable (mode ${mode})`, `chmod u+r ${word}`)]
    if (!found.isDirectory() && (await lacks(constants.X_OK)) && /sh: |spawn/.test(evidence.text))
      return [fact(likely.proven, `${path} is not executable (mode ${mode})`, `chmod u+x ${word}`)]
    return (await lacks(constants.W_OK))
      ? [fact(likely.proven, `${path} is not writable (mode ${mode})`, `chmod u+w ${word}`)]
      : []
  })
  return (await Promise.all(facts)).flat()
}

/** Finds edited files: each that the output names, and the others in one fact for each kind of folder. */
async function editedFiles(it: Case): Promise<readonly Fact[]> {
  const { git, evidence, before, root } = it
  const named = new Map(evidence.files.map(({ path, line }, index) => [path, { line, index }]))
  const edited = (git?.edited ?? []).filter(({ path }) => !ofOthers.test(path) && !evidence.missing.includes(path))
  const facts: Fact[] = edited.flatMap(({ path, ms, isNew }) => {
    const place = named.get(path)
    if (place === undefined) return []
    const line = place.line === undefined ? '' : `; the error is near line ${place.line}`
    const how = ms === null ? 'was deleted' : `was ${isNew ? 'written' : 'edited'} at ${clockTime(ms)}, not committed`
    const command = isNew ? `git status --short -- ${shellWord(path)}` : `git diff -- ${shellWord(path)}`
    // The first file of a trace is the nearest.
    const score = (evidence.isSyntax ? likely.named + 8 : likely.named + 5) - Math.min(place.index, 5)
    return [{ ...fact(score, `${path} ${how}${line}`, command), atMs: ms }]
  })
  const rest = edited.filter(({ path }) => !named.has(path))
  for (const group of ['own', 'shared', 'other'] as const) {
    const files = rest.filter(({ path }) => ownerOf(it, path) === group)
    if (files.length > 0) facts.push(editedGroup(files, scoreOf[group]))
  }
  if (git === undefined && before !== undefined) {
    for (const { path } of evidence.files) {
      const found = ofOthers.test(path) ? undefined : await statIfAny(join(root, path))
      if (found !== undefined && found.ctimeMs > before.startedMs)
        facts.push({
          ...fact(likely.named, `${path} was changed at ${clockTime(found.ctimeMs)}`, null),
          atMs: found.ctimeMs,
        })
    }
  }
  return facts
}

const scoreOf = { own: likely.changed + 1, shared: likely.nearby, other: likely.distant } as const

function editedGroup(files: NonNullable<Case['git']>['edited'], score: number): Fact {
  const paths = files.map(({ path }) => path)
  const ms = files[0]?.ms ?? null
  const hows = new Set(files.map(file => (file.ms === null ? 'deleted' : file.isNew ? 'written' : 'edited')))
  const [how = 'edited'] = hows.size === 1 ? hows : ['changed']
  const at = ms === null || paths.length > 1 ? '' : ` at ${clockTime(ms)}`
  const words = paths.slice(0, 8).map(shellWord).join(' ')
  // A difference does not show what git does not have.
  const command = files.some(({ isNew }) => isNew) ? `git status --short -- ${words}` : `git diff -- ${words}`
  const text = `${listOf(paths)} ${paths.length === 1 ? 'was' : 'were'} ${how}${at}, not committed`
  return { ...fact(score, text, command), atMs: ms }
}

function committedFiles(it: Case): readonly Fact[] {
  const { git, evidence, before } = it
  if (git === undefined || before === undefined) return []
  const named = evidence.files.map(({ path }) => path).filter(path => git.committed.has(path) && !ofOthers.test(path))
  const facts: Fact[] = []
  for (const path of named.slice(0, 2)) {
    const commit = git.commits.find(({ files }) => files.includes(path))
    if (commit !== undefined)
      facts.push({
        ...fact(
          likely.named + 2,
          `${path} was changed by commit ${commit.id}, "${commit.subject}"`,
          `git show ${commit.id} -- ${shellWord(path)}`,
        ),
        atMs: commit.ms,
      })
  }
  if (git.branch !== undefined) {
    const { before: old, now } = git.branch
    const score = named.length > 0 ? likely.named + 3 : likely.changed
    facts.push(fact(score, `another branch is checked out: ${now}; it was ${old}`, `git switch ${shellWord(old)}`))
  }
  const relevant = git.commits.filter(({ files }) => files.some(path => ownerOf(it, path) !== 'other'))
  const [newest] = relevant
  if (newest !== undefined && facts.every(({ atMs }) => atMs === null)) {
    const count = relevant.length === 1 ? 'a new commit' : `${relevant.length} new commits`
    const isOwn = relevant.some(({ files }) => files.some(path => ownerOf(it, path) === 'own'))
    const text = `${count} since: ${newest.id}, "${newest.subject}"${relevant.length === 1 ? '' : ' and older'}`
    const command = `git log --stat ${before.head.slice(0, 12)}.. -- .`
    facts.push({ ...fact(isOwn ? likely.changed : likely.nearby - 2, text, command), atMs: newest.ms })
  }
  return facts
}

/** Says whether a file is in a folder of the service, of another one, or of none. */
function ownerOf({ plan, project }: Case, path: string): 'own' | 'other' | 'shared' {
  const isIn = (folders: readonly string[]) => folders.some(folder => path.startsWith(`${folder}/`))
  if (isIn(partsOf(plan))) return 'own'
  return isIn(project.plan.services.filter(({ name }) => name !== plan.name).flatMap(partsOf)) ? 'other' : 'shared'
}

/** Returns the folders of a project that a service's working folder, watch or command names. */
function partsOf({ common, options }: Case['plan']): readonly string[] {
  const named = [
    ...(common.workdir === undefined ? [] : [join(common.workdir, 'x')]),
    ...common.watch.map(pattern => pattern.replace(/[^/]*[*?{[].*$/, 'x')),
    ...wordsOf(options).filter(word => /^[\w.@-]+\/[\w./@-]+$/.test(word)),
  ]
  return named.map(path => dirname(path).replace(/^\.\//, '')).filter(folder => folder !== '.' && folder !== '/')
}

function fact(score: number, text: string, command: string | null): Fact {
  return { score, kind: 'file', text, command, atMs: null }
}
