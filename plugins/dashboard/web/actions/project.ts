import type { KnownProjectView } from '../../../../kernel/protocol.ts'
import { post } from '../api.ts'
import { ask } from '../state/dialog.ts'
import { notify, notifyError } from '../state/notices.ts'
import { serviceOf, services } from '../state/services.ts'
import { operate } from './operate.ts'
import type { Action } from './registry.ts'

const servicesOf = ({ path }: KnownProjectView) => services.peek().filter(view => view.path === path)

/** Actions of the project of the chosen service. */
export const projectActions: readonly Action[] = [
  {
    ...{ id: 'project.start', keywords: 'up all run' },
    title: ({ project }) => `Start all of ${project?.name}`,
    cli: ({ project }) => `locald up ${project?.name}`,
    isShown: ({ project }) => project?.exists === true,
    run: ({ project }) => (project === undefined ? undefined : startProject(project)),
  },
  {
    ...{ id: 'project.restart', keywords: 'all again' },
    title: ({ project }) => `Restart all of ${project?.name}`,
    cli: ({ project }) => `locald restart ${project?.name}`,
    isShown: ({ project }) => project !== undefined && servicesOf(project).length > 0,
    run: async ({ project }) => {
      if (project === undefined) return
      const body = { path: project.path }
      await operate(servicesOf(project), {
        ...{ route: '/projects/restart', body, word: 'restarting', done: `${project.name} restarted` },
      })
    },
  },
  {
    ...{ id: 'project.stop', keywords: 'down all halt' },
    title: ({ project }) => `Stop all of ${project?.name}`,
    cli: ({ project }) => `locald stop ${project?.name}`,
    isShown: ({ project }) => project !== undefined && servicesOf(project).length > 0,
    run: async ({ project }) => {
      if (project === undefined) return
      const body = { path: project.path }
      await operate(servicesOf(project), {
        ...{ route: '/projects/stop', body, word: 'stopping', done: `${project.name} stopped` },
      })
    },
  },
  {
    ...{ id: 'project.pin', keywords: 'login boot autostart' },
    title: ({ project }) => `Pin ${project?.name}: start it with the daemon`,
    cli: ({ project }) => `locald registry pin ${project?.name}`,
    isShown: ({ project }) => project?.pinned === false,
    run: ({ project }) => pin(project, true),
  },
  {
    ...{ id: 'project.unpin', keywords: 'login boot autostart' },
    title: ({ project }) => `Unpin ${project?.name}`,
    cli: ({ project }) => `locald registry unpin ${project?.name}`,
    isShown: ({ project }) => project?.pinned === true,
    run: ({ project }) => pin(project, false),
  },
]

/** Starts all services of a project. */
export async function startProject({ path, name }: KnownProjectView): Promise<void> {
  const known = services.peek().filter(view => view.path === path)
  await operate(known, { route: '/projects/up', body: { path }, word: 'starting', done: `${name} started` })
}

async function pin(project: KnownProjectView | undefined, pinned: boolean): Promise<void> {
  if (project === undefined) return
  try {
    await post('/registry/pin', { path: project.path, projects: [project.name], pinned })
    notify({
      kind: 'done',
      text: `${project.name} ${pinned ? 'starts with the daemon' : 'does not start with the daemon'}`,
    })
  } catch (error) {
    notifyError(error)
  }
}

/** Stops the daemon and all services, after a question; there is no way to start it from a page. */
export async function shutDown(): Promise<void> {
  const running = services.peek().filter(({ key }) => serviceOf(key).peek()?.pid !== null)
  const answer = await ask({
    title: 'Shut down locald?',
    text: `${running.length} services stop, and so does this page. Run \`locald server start\` in a terminal to start the daemon.`,
    ...{ cli: 'locald server shutdown', yes: 'Shut down', isDangerous: true },
  })
  if (answer === undefined) return
  await operate(running, {
    ...{ route: '/server/shutdown', body: { keepServices: false }, word: 'stopping', done: 'The daemon stops' },
  })
}
