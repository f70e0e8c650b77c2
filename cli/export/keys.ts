import type { Notes } from './notes.ts'
import type { Project } from './project.ts'

/** What is lost with each key that no other engine has. */
const lost: Readonly<Record<string, string>> = {
  watch: 'a change of a file restarts nothing',
  idle: 'runs until it is stopped',
  hidden: 'is listed like any other',
  tty: 'the output is that of a pipe',
  reload: 'pages do not reload',
  branch: 'a worktree gets no copy of the data',
  commands: 'the commands of a service are not part of it',
}

/** Notes every key of a project that no format has. */
export function noteKeys(project: Project, notes: Notes): void {
  for (const { name, foreign } of project.services)
    if (foreign.length > 0)
      notes.dropped(`services.${name}.depends_on`, `${foreign.join(', ')} of another project is not part of it`)
  for (const { key, value, file } of project.values) {
    if (file === null) continue
    const [top, name, own = ''] = key.split('.')
    if (top === 'routes') notes.dropped(key, 'paths of another service need a proxy')
    else if (top === 'plugins') notes.dropped(key, 'plugins of locald are not part of it')
    else if (key === 'project.domain' || key === 'project.wildcard') notes.dropped(key, 'names need a proxy')
    else if (top === 'services' && name !== undefined && Object.hasOwn(lost, own) && value !== false)
      notes.dropped(`services.${name}.${own}`, lost[own] ?? '')
    else if (top === 'services' && own === 'protocol' && value !== 'http')
      notes.dropped(key, 'the port is not served over HTTPS by a proxy')
    else if (top === 'projects') notes.dropped(key, 'services of other projects are not part of it')
    else if (top !== 'services' && top !== 'project' && top !== 'env') notes.dropped(key, 'has no counterpart')
  }
}
