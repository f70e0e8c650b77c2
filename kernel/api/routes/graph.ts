import type { FastifyPluginAsync } from 'fastify'
import type { Kernel } from '../../kernel.ts'
import type { GraphAnswer, GraphQuery, GraphService } from '../../protocol.ts'
import type { Service } from '../../services/service.ts'
import { answer } from '../schemas/answers.ts'
import { graph } from '../schemas/projects.ts'
import { graphQuery } from '../schemas/requests.ts'

/** Returns the route of a project's dependencies. */
export function graphRoutes({ projects }: Kernel): FastifyPluginAsync {
  const schema = {
    summary: 'Show what the services of a project depend on, and how their last start went',
    querystring: graphQuery,
    response: answer('Its services with their direct dependencies', graph),
  }
  return async app => {
    app.get<{ Querystring: GraphQuery }>('/projects/graph', { schema }, async ({ query }) => {
      const { project, names } = await projects.project(query.path)
      const isTask = (name: string) =>
        project.plan.services.some(({ common }) => common.dependsOn[name] === 'completed')
      const services = names.flatMap(name => {
        const service = project.service(name)
        if (service === undefined) return []
        const dependsOn = project.needsOf(name).map(need => need.service.ref.key)
        return [{ key: service.ref.key, dependsOn, start: startOf(service, isTask(name)) }]
      })
      return { project: project.ref.name, path: project.ref.path, services } satisfies GraphAnswer
    })
  }
}

/** @param isTask others wait for its exit */
function startOf({ startTimes }: Service, isTask: boolean): GraphService['start'] {
  const { last } = startTimes
  if (last === undefined) return null
  const { beganMs, startedMs } = last
  const readyMs = isTask ? last.completedMs : last.readyMs
  return { beganAt: timeOf(beganMs), startedAt: timeOf(startedMs), readyAt: timeOf(readyMs) }
}

function timeOf(ms: number): string
function timeOf(ms: number | undefined): string | null
function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
