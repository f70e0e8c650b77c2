import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { processList } from '../lib/process-list.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import type { Clock } from './clock.ts'
import type { SoakProject } from './projects.ts'
import type { Random } from './random.ts'
import type { Requests } from './requests.ts'

/** What acts are done to. */
export interface Stand {
  readonly box: Sandbox
  readonly clock: Clock
  readonly random: Random
  readonly projects: readonly SoakProject[]
  readonly requests: ReadonlyMap<SoakProject, Requests>
  /** Processes whose keeper was killed, with what it had not read yet. */
  readonly spared: Set<number>
  /** Called when the round is over: no request is excused any more. */
  readonly afterwards: (() => void)[]
}

type Act = (stand: Stand) => Promise<unknown>

const services = ['web', 'term', 'pipe'] as const

/** What happens in a round. */
export const acts: Readonly<Record<string, Act>> = {
  async 'kill the daemon'(stand) {
    excuse(stand, stand.projects)
    kill((await stand.box.server()).pid, 'SIGKILL')
  },
  async 'kill a keeper'(stand) {
    const { pid } = await target(stand)
    stand.spared.add(pid)
    // Its own process and what runs its child: any process between the service and the daemon.
    kill(processList.parentOf(pid), 'SIGKILL')
  },
  async 'kill a service'(stand) {
    kill((await target(stand)).pid, 'SIGKILL')
  },
  async 'restart a service'({ box, random, projects }) {
    await box.run(['restart', random.of(services)], { cwd: random.of(projects).folder })
  },
  async 'stop a project and start it'(stand) {
    const project = stand.random.of(stand.projects)
    excuse(stand, [project])
    await stand.box.run(['stop'], { cwd: project.folder })
    await stand.box.run(['up', '--json'], { cwd: project.folder })
  },
  async 'restart the daemon'(stand) {
    excuse(stand, stand.projects)
    await stand.box.run(['server', 'restart'])
  },
  async 'empty the runtime folder'({ box }) {
    const folder = join(box.home, 'run')
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
  },
  async 'another runtime folder'({ box, random, projects }) {
    const folder = join(box.home, 'run-2')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    box.own(folder)
    // By its path: from within a folder that another act has moved it would be started in that place.
    await box.run(['up', random.of(projects).folder, '--json'], { env: { XDG_RUNTIME_DIR: folder } })
  },
  async 'step the clock'({ clock, random }) {
    const seconds = random.of([-86_400, -3600, -61, -2, 2, 61, 3600, 86_400])
    // Within a week: certificates are not what is tried here.
    clock.set(Math.max(-604_800, Math.min(604_800, clock.offset + seconds)))
  },
  async 'remove a folder and lay it again'({ random, projects }) {
    const project = random.of(projects)
    rmSync(project.folder, { recursive: true })
    await setTimeout(random.below(500))
    project.lay()
  },
  async 'move a folder away and back'({ random, projects }) {
    const { folder } = random.of(projects)
    renameSync(folder, `${folder}-away`)
    await setTimeout(random.below(500))
    renameSync(`${folder}-away`, folder)
  },
  async 'change locald.toml'({ random, projects }) {
    random.of(projects).edit()
  },
  async 'change a watched file'({ random, projects }) {
    random.of(projects).lay()
  },
  async 'print much at once'(stand) {
    const { pid, name } = await target(stand)
    if (name !== 'web') kill(pid, 'SIGUSR2')
  },
}

/** A service of any project, by its main process; requests to a web service are excused from now on. */
async function target(stand: Stand): Promise<{ readonly name: string; readonly pid: number }> {
  const project = stand.random.of(stand.projects)
  const { name, pid } = await stand.box.service(project.folder, stand.random.of(services))
  if (pid === null) throw new Error(`${project.name}:${name} does not run`)
  if (name === 'web') excuse(stand, [project])
  return { name, pid }
}

function excuse({ requests, afterwards }: Stand, projects: readonly SoakProject[]): void {
  for (const project of projects) {
    const end = requests.get(project)?.excuse()
    if (end !== undefined) afterwards.push(end)
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Another act was faster.
  }
}
