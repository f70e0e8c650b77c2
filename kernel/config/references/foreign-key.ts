import { isLabel } from '../names.ts'

/** A service of another project, as a configuration names it: `PROJECT:SERVICE`. */
export interface ForeignKey {
  readonly project: string
  readonly service: string
}

/** The rule for such names, for messages. */
export const foreignRule = 'must be a service, or PROJECT:SERVICE for one of another project'

/** Whether a name is meant to be that of a service in another project: a service's own name has no colon. */
export function isForeignKey(name: string): boolean {
  return name.includes(':')
}

/** Returns the parts of `PROJECT:SERVICE`; undefined for another text. */
export function parseForeignKey(name: string): ForeignKey | undefined {
  const [project = '', service = '', ...more] = name.split(':')
  return more.length === 0 && isLabel(project) && isLabel(service) ? { project, service } : undefined
}

/** Returns the plain name of a service that is named with its own project; any other name as it is. */
export function ownName(name: string, project: string): string {
  return name.startsWith(`${project}:`) ? name.slice(project.length + 1) : name
}
