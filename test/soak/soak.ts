/**
 * `node soak.js [--minutes N] [--seed N]`, started by `test/soak/run`: rounds of one or two acts at once, after each of
 * which all services must run, and nothing else. At the end each line must have been read once and in order, and no
 * request may have failed but those to what was really stopped.
 */
import { parseArgs } from 'node:util'
import { freePort } from '../lib/ports.ts'
import { Sandbox } from '../lib/sandbox.ts'
import { acts, type Stand } from './acts.ts'
import { audit } from './audit.ts'
import { Clock } from './clock.ts'
import { Follower, readLogs } from './lines.ts'
import { SoakProject } from './projects.ts'
import { Random } from './random.ts'
import { type RequestCount, Requests } from './requests.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
})
/** More are not printed. */
const mostFailures = 100

const failures: string[] = []
const closing: (() => unknown)[] = []
const counts: RequestCount = { answered: 0, excused: 0, failures: [] }
/** How often each act was done, and how often it failed since another one was faster. */
const done = new Map(Object.keys(acts).map(name => [name, { times: 0, failed: 0 }]))
let rounds = 0

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function fail(round: string, what: unknown): void {
  const text = what instanceof Error ? what.message : String(what)
  failures.push(`${round}: ${text}`)
  say(`FAILED ${round}: ${text}`)
}

/** An act may fail where another one was faster: what counts is the state after it. */
async function act(name: string, stand: Stand): Promise<void> {
  const count = done.get(name)
  if (count !== undefined) count.times++
  try {
    await acts[name]?.(stand)
  } catch {
    if (count !== undefined) count.failed++
  }
}

/** A round; `name` says what was done in it. */
async function round(stand: Stand): Promise<void> {
  const { random } = stand
  const names =
    random.below(3) === 0
      ? [random.of(Object.keys(acts)), random.of(Object.keys(acts))]
      : [random.of(Object.keys(acts))]
  const name = `round ${++rounds} (${names.join(', ')})`
  await Promise.all(names.map(name => act(name, stand)))
  try {
    for (const wrong of await audit(stand)) fail(name, wrong)
  } catch (error) {
    fail(name, error)
  }
  for (const end of stand.afterwards.splice(0)) end()
  for (const wrong of counts.failures.splice(0)) fail(name, `a request failed: ${wrong}`)
}

/** The lines of all projects as they were followed and as the logs have them; how many there are. */
async function checkLines({ box, projects, spared }: Stand, followers: readonly Follower[]): Promise<number> {
  let lines = 0
  for (const [index, project] of projects.entries()) {
    const written = new Map([...project.written()].filter(([id]) => !spared.has(Number.parseInt(id, 10))))
    const read = await readLogs(box, project)
    const followed = await followers[index]?.end(written)
    const wrong = [...read.failures, ...read.behind(written), ...(followed ?? [])]
    for (const each of wrong.slice(0, mostFailures)) fail('lines', each)
    lines += read.lines
  }
  return lines
}

async function soak(): Promise<void> {
  const port = await freePort()
  const box = new Sandbox({ teardown: close => closing.push(close) }, { env: { LOCALD_HTTP_PORT: String(port) } })
  const projects = ['one', 'two', 'three'].map(name => new SoakProject(box, name))
  const requests = new Map(projects.map(project => [project, new Requests(project.host, port, counts)]))
  const stand: Stand = {
    box,
    clock: new Clock(process.env['SOAK_OFFSET'] ?? ''),
    random: new Random(Number(values.seed)),
    projects,
    requests,
    spared: new Set(),
    afterwards: [],
  }
  for (const { folder } of projects) await box.up(folder)
  const followers = projects.map(project => new Follower(box, project))
  for (const follower of followers) await follower.begun()
  const sending = [...requests.values()].map(each => each.run())
  const end = performance.now() + Number(values.minutes) * 60_000
  for (let shown = performance.now(); performance.now() < end; ) {
    await round(stand)
    if (performance.now() - shown < 60_000) continue
    shown = performance.now()
    say(
      `${rounds} rounds, ${counts.answered} requests answered, ${counts.excused} excused, ${failures.length} failures`,
    )
  }
  for (const each of requests.values()) each.end()
  await Promise.all(sending)
  const lines = await checkLines(stand, followers)
  for (const [name, { times, failed }] of done) say(`${name}: ${times} times${failed > 0 ? `, ${failed} failed` : ''}`)
  say(`${rounds} rounds, ${lines} lines, ${counts.answered} requests answered, ${counts.excused} excused`)
}

say(`Seed ${values.seed}, ${values.minutes} minutes`)
try {
  await soak()
} catch (error) {
  fail('the soak', error)
}
for (const close of closing) {
  try {
    await close()
  } catch (error) {
    fail('shutdown', error)
  }
}
say(`\n${rounds} passed, ${failures.length} failed, 0 skipped`)
process.exit(failures.length === 0 ? 0 : 1)
