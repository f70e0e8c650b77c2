import type { WorktreeService } from '../../../kernel/contract/plugin.ts'

/** Makes a service of a checkout of one repository, which has the project's name. */
export function service(project: string, name: string, more: Partial<WorktreeService> = {}): WorktreeService {
  const key = `${project}:${name}`
  const own = { key, name, project, path: `/${project}`, repository: '/shop/.git', checkout: `/git/${project}` }
  return { ...own, ports: [], hosts: [], startedMs: 1, env: {}, tables: {}, named: [], ...more }
}
