/** .github/workflows: what GitHub runs is pinned, holds no logic, and covers what is promised. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseDocument } from 'yaml'
import { root } from '../lib/sources.ts'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}

interface Job {
  readonly 'runs-on': string
  readonly 'timeout-minutes'?: number
  readonly permissions?: unknown
  readonly needs?: string
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> }
  readonly steps: readonly Step[]
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions?: unknown
  readonly concurrency?: unknown
  readonly jobs: Readonly<Record<string, Job>>
}

const folder = join(root, '.github', 'workflows')
const names = readdirSync(folder)
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8')
const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)

function read(name: string): Workflow {
  const document = parseDocument(textOf(name), { strict: true })
  if (document.errors.length > 0) throw new Error(`${name}: ${document.errors.join('\n')}`)
  return document.toJS()
}

const stepsOf = ({ jobs }: Workflow) => Object.values(jobs).flatMap(({ steps }) => steps)

t.test('workflows parse, have few permissions and time limits', async t => {
  t.strictSame(names.sort(), ['ci.yml', 'nightly.yml'])
  for (const name of names) {
    const workflow = read(name)
    t.strictSame(workflow.permissions, { contents: 'read' }, name)
    t.ok(workflow.concurrency, `${name} has a group`)
    for (const [id, job] of Object.entries(workflow.jobs)) {
      t.ok(Number(job['timeout-minutes']) > 0, `${name}: ${id} has a limit`)
      t.equal(job.permissions, undefined, `${name}: ${id} asks for no more`)
      t.ok(job.needs === undefined || workflow.jobs[job.needs], `${name}: ${id} needs a job that is there`)
    }
    t.notOk('pull_request_target' in workflow.on, name)
  }
})

t.test('actions are pinned to a commit, with its version beside it', async t => {
  for (const name of names) {
    const lines = textOf(name).split('\n')
    const uses = lines.filter(line => /^\s*(- )?uses:/.test(line))
    t.equal(uses.length, stepsOf(read(name)).filter(step => step.uses !== undefined).length, name)
    for (const line of uses) t.match(line, /uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, line.trim())
    for (const { uses = '', with: given } of stepsOf(read(name)).filter(step =>
      step.uses?.startsWith('actions/checkout@'),
    ))
      t.equal(given?.['persist-credentials'], false, `${name}: ${uses}`)
  }
})

t.test('a step runs a script of the repository and has no logic', async t => {
  for (const name of names) {
    for (const { run } of stepsOf(read(name))) {
      if (run === undefined) continue
      t.match(run, /^(npm ci|npm run [\w:]+( -- --\w+)?|\.ci\/[\w-]+)$/, `${name}: ${run}`)
      const [program = '', verb, script = ''] = run.split(' ')
      if (program.startsWith('.ci/')) {
        t.doesNotThrow(() => accessSync(join(root, program), constants.X_OK), `${program} is there, and may be run`)
        t.match(readFileSync(join(root, program), 'utf8'), /^#!\/usr\/bin\/env bash\n/, program)
      } else if (verb === 'run') t.ok(scripts[script], `npm run ${script}`)
    }
  }
})

t.test('every supported system and Node version is tested with every change', async t => {
  const { on, jobs } = read('ci.yml')
  t.ok('pull_request' in on)
  t.strictSame(on['push'], { branches: ['main'] })
  t.strictSame(jobs['macos']?.strategy?.matrix, { os: ['macos-15', 'macos-15-intel', 'macos-26'], node: [20, 24] })
  t.strictSame(jobs['linux']?.strategy?.matrix, { node: [20, 24] })
  const runs = (id: string) => jobs[id]?.steps.flatMap(({ run }) => run ?? [])
  t.strictSame(runs('linux'), ['.ci/linux'])
  t.strictSame(runs('natives'), ['npm ci', '.ci/pack'])
  const steps = ['unit', 'e2e', 'smoke', 'integration', 'privileged', 'reaping']
  t.strictSame(runs('macos'), ['.ci/host', 'npm ci', 'npm run check', ...steps.map(step => `.ci/${step}`)])
  const here = readFileSync(join(root, '.ci', 'run'), 'utf8')
  for (const step of ['pack', 'smoke', 'integration', 'reaping', 'actionlint'])
    t.match(here, new RegExp(`^(counted|one '[^']+') \\.ci/${step}\\b`, 'm'), `.ci/run does ${step}, too`)
  t.ok(existsSync(join(root, 'package-lock.json')), 'for npm ci')
})
