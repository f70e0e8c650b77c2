import type { StatusAnswer } from '../../../kernel/protocol.ts'
import { readDeclared } from '../../daemon/declared-commands.ts'
import { describePlace, findPlace } from '../place.ts'
import { countStates, serviceItem, serviceList } from '../services.ts'
import { type CommonArgs, defineTool } from '../tool.ts'

interface Args extends CommonArgs {
  readonly all?: boolean
}

/** The state of services, from the daemon's memory. */
export const status = defineTool<Args>({
  name: 'status',
  title: 'Status of services',
  description:
    'Shows the services of the project with state, URL, port, what is wrong and their commands. Starts nothing. Use its URLs instead of guessing ports.',
  input: { all: { type: 'boolean', description: 'All projects of this machine' } },
  output: serviceList,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  async run(session, { project, all = false }) {
    const daemon = await session.findDaemon()
    const place = await findPlace(session, daemon, project)
    const { services } =
      daemon === undefined
        ? { services: [] }
        : await daemon.get<StatusAnswer>('/v1/services', { path: place.path, all })
    const declared =
      daemon === undefined || services.length === 0
        ? []
        : await readDeclared(daemon, { path: place.path, all }).catch(() => [])
    const namesOf = (service: string) =>
      declared.find(({ key }) => key === service)?.commands.map(({ name }) => name) ?? []
    const state =
      daemon === undefined
        ? 'No daemon is running: nothing is started. Call `up` to start the services of this project.'
        : services.length === 0
          ? 'Nothing is running here. Call `up` to start the services of this project.'
          : countStates(services)
    return {
      head: `${all ? 'All projects' : describePlace(place)}\n${state}`,
      facts: { project: place },
      list: 'services',
      items: services.map(view => serviceItem(session, view, { fullNames: all, commands: namesOf(view.key) })),
    }
  },
})
