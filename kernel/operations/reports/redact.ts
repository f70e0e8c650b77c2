import type { Catalog } from '../../contract/plugin.ts'
import type { Project } from '../../projects/project.ts'
import { secretsOf } from '../../services/environment/masking.ts'
import { Redaction } from '../../services/environment/redaction.ts'
import type { Service } from '../../services/service.ts'

/** What the secrets are read from. */
export interface RedactionParts {
  readonly projects: { list(): readonly Project[] }
  readonly catalog: Pick<Catalog, 'secrets'>
}

/**
 * Returns what masks the secrets of all projects: values of their `.env` files, and in the environments of their
 * services those of secret names and the passwords of URLs.
 */
export async function readRedaction({ projects, catalog }: RedactionParts): Promise<Redaction> {
  const all = projects.list()
  const names = new Set(all.flatMap(({ ref, services }) => [ref.name, ...[...services.values()].flatMap(namesOf)]))
  const found = await Promise.all(
    all.map(async project => [
      ...(await catalog.secrets(project.ref.name)),
      ...secretsOf(project.shell),
      ...(await Promise.all([...project.services.keys()].map(name => secretsOfService(project, name)))).flat(),
    ]),
  )
  // The name or type of a service is in every answer: as a password, it hides nothing.
  return new Redaction(found.flat().filter(secret => !names.has(secret)))
}

function namesOf({ ref: { name, type } }: Service): readonly string[] {
  return [name, type]
}

/** Returns the secrets that a service has, and those that it would get now. */
async function secretsOfService(project: Project, name: string): Promise<readonly string[]> {
  const service = project.service(name)
  const now = service?.supervisor.instance === undefined ? {} : service.env
  // What cannot be prepared has no environment.
  const next = await project.prepare(name).then(
    ({ env }) => env,
    () => ({}),
  )
  return [...secretsOf(now ?? {}), ...secretsOf(next)]
}
