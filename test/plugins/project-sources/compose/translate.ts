import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { formatTranslation } from '../../../../cli/init/translation.ts'
import { type LoadedProject, loadProject } from '../../../../kernel/config/load.ts'
import { TrustedFolder } from '../../../../kernel/config/sources/project-folder.ts'
import { Trust } from '../../../../kernel/config/trust/trust.ts'
import type { Finding, ProjectFolder } from '../../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../../kernel/errors.ts'
import { options } from '../../../../plugins/container/options.ts'
import { translateCompose } from '../../../../plugins/project-sources/compose/index.ts'
import { fake, types } from '../../../kernel/config/projects.ts'
import { root as repository } from '../../../lib/sources.ts'

/** What a translation writes. */
export interface Translation {
  readonly toml: string
  /** The services that are no comments. */
  readonly services: readonly string[]
  readonly files: readonly string[]
  readonly dropped: readonly Finding[]
  readonly changed: readonly Finding[]
}

/** The folder of this room's data. */
export const data = join(repository, 'test', 'plugins', 'project-sources', 'compose')

const top = mkdtempSync(join(tmpdir(), 'locald-compose-'))
t.teardown(() => rmSync(top, { recursive: true, force: true }))
let count = 0

/** Makes a folder with files: `project` is its name. */
export function projectWith(files: Readonly<Record<string, string>>, project = 'shop'): string {
  const root = join(top, String(++count), project)
  for (const [name, text] of Object.entries({ ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

/** Copies a folder of this room. */
export function projectFrom(folder: string, name: string): string {
  const root = join(top, String(++count), name)
  cpSync(join(data, folder, name), root, { recursive: true })
  return root
}

/** Translates the compose files of a folder. */
export async function translate(
  root: string,
  files: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Translation> {
  const translation = await translateCompose(
    folderAt(root, env),
    files.map(file => resolve(root, file)),
  )
  const services = translation.services.flatMap(({ name, isInactive }) => (isInactive ? [] : [name]))
  return { ...translation, services, toml: formatTranslation('compose', translation) }
}

/** Returns a folder as a detector sees it, by a caller with this environment. */
export function folderAt(root: string, env: NodeJS.ProcessEnv = {}): ProjectFolder {
  const shell = { PATH: '/nowhere', ...env }
  return new TrustedFolder({ trust: new Trust({ shell, dataFolder: top }), root, shell }, ['exec', 'container'])
}

/** Translates a compose file alone. */
export async function translateText(compose: string, env: NodeJS.ProcessEnv = {}): Promise<Translation> {
  return await translate(projectWith({ 'compose.yaml': compose }), [], env)
}

const container = fake('container', options, {
  reach: 'guest',
  network: given => (portOf(given) === undefined ? 'none' : 'web'),
  guestPort: portOf,
})

function portOf(given: unknown): number | undefined {
  const port: unknown = Reflect.get(Object(given), 'container_port')
  return typeof port === 'number' ? port : undefined
}

const withContainers = {
  ...types,
  find: (type: string) => (type === 'container' ? container : types.find(type)),
}

/** Loads a locald.toml by the real loader, with the container plugin's own keys. */
export async function loadToml(root: string, toml: string): Promise<LoadedProject> {
  writeFileSync(join(root, 'locald.toml'), toml)
  return await loadProject(root, withContainers, { configDir: join(top, 'config'), home: top })
}

/** Formats findings as `file:line key: message`. */
export function findingLines(root: string, findings: readonly Finding[]): readonly string[] {
  return findings.map(({ key, message, at }) => `${at.file.replace(`${root}/`, '')}:${at.line} ${key}: ${message}`)
}

/** Returns the error of a translation that must fail. */
export async function failureOf(translation: Promise<Translation>): Promise<LocaldError> {
  const error: unknown = await translation.then(
    () => new Error('it was translated'),
    thrown => thrown,
  )
  if (!LocaldError.is(error)) throw error
  return error
}
