import { existsSync } from 'node:fs'
import type { TranslatedEntry } from '../../../../kernel/contract/plugin.ts'
import { entriesOf, entryOf, isTrue, itemsOf, type Scalar, textOf } from '../node.ts'
import { type ComposeProject, pathFrom } from '../project.ts'
import type { KeyReader } from '../reader.ts'
import { parseTemplate, translateTemplate } from '../template.ts'

/** The name of a variable that every shell can set (POSIX 2024, 3.216). */
const variablePattern = /^[A-Za-z_][A-Za-z0-9_]*$/

/** The variables that locald sets. */
const own = ['PORT', 'LOCALD_URL', 'NOTIFY_SOCKET']

/** The name by which containers reach services of this machine. */
const thisMachine = 'host.docker.internal'

/** Translates `environment` and `env_file`; references to variables stay, in locald's syntax. */
export function translateEnvironment(
  service: KeyReader,
  project: ComposeProject,
  containerPort: number | undefined,
): readonly TranslatedEntry[] {
  const env = entriesOf(service.take('environment')).flatMap(([name, node]) => {
    if (node.kind !== 'scalar') return service.note('refused', `environment.${name}`, 'must be a text', node.at) ?? []
    if (name === 'PORT' && node.text === String(containerPort)) return []
    const value = isUsable(service, name, node) ? textInLocald(service, project, name, node) : undefined
    return value === undefined ? [] : [[name, value] as const]
  })
  const files = translateFiles(service, project)
  return [
    ...(files.length === 0 ? [] : [{ key: 'env_file', value: files }]),
    ...(env.length === 0 ? [] : [{ key: 'env', value: Object.fromEntries(env) }]),
  ]
}

function isUsable(service: KeyReader, name: string, { at, text }: Scalar): boolean {
  const key = `environment.${name}`
  if (own.includes(name)) {
    service.note('dropped', key, 'locald sets this variable: PORT is container_port', at)
    return false
  }
  if (!variablePattern.test(name)) {
    service.note('dropped', key, 'no name of a variable in locald: letters, digits and _ only', at)
    return false
  }
  if (text.includes('\0')) {
    service.note('dropped', key, 'has a NUL character, which no environment can hold', at)
    return false
  }
  if (text.includes(thisMachine)) {
    const message = `${thisMachine} reaches services of this project only: add those of this machine, and depend on them`
    service.note('changed', key, message, at)
  }
  return true
}

function textInLocald(service: KeyReader, project: ComposeProject, name: string, node: Scalar): string | undefined {
  const key = `environment.${name}`
  if (node.isNull) {
    service.note('changed', key, 'is empty where it is not set; compose leaves it unset', node.at)
    return `\${${name}:-}`
  }
  const pieces = parseTemplate(node.template)
  const translated = 'fault' in pieces ? pieces : translateTemplate(pieces, project.scope)
  if ('fault' in translated) return service.note('refused', key, translated.fault, node.at)
  service.noteVariables(key, translated.fixed, node)
  const text = project.names.replaceHosts(name, translated.text)
  if (text !== translated.text) service.note('changed', key, 'names a host as locald does', node.at)
  return text
}

function translateFiles(service: KeyReader, project: ComposeProject): readonly string[] {
  return itemsOf(service.take('env_file')).flatMap(item => {
    const path = item.kind === 'mapping' ? entryOf(item, 'path') : item
    const file = path === undefined ? undefined : service.textOf(path, 'env_file')
    if (file === undefined) return []
    const written = pathFrom(project.root, file).replace(/^\.\//, '')
    if (textOf(entryOf(item, 'format')) === 'raw')
      service.note('changed', 'env_file', `${written}: quotes and references in it are read, too`, item.at)
    if (existsSync(file)) return [written]
    const required = entryOf(item, 'required')
    if (required !== undefined && !isTrue(required)) {
      service.note('dropped', 'env_file', `${written} does not exist: add it when it does`, item.at)
      return []
    }
    service.note('changed', 'env_file', `${written} does not exist: create it before \`locald up\``, item.at)
    return [written]
  })
}
