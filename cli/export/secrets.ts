import { isTable, type Table } from '../../kernel/config/document/table.ts'
import { isSecretVariable, maskUrls } from '../../kernel/lib/secrets.ts'
import type { Notes } from './notes.ts'
import type { Project } from './project.ts'

/** A shorter value is part of too many words. */
const shortest = 6
/** An assignment or an option in a command: `TOKEN=x`, `--api-key x`. */
const given = /(?<![\w$])(--?)?([A-Za-z_][\w-]*)(=|\s+)("[^"]*"|'[^']*'|[^\s;&|"']+)/g

/** The default of a variable in a command or a value: `${TOKEN:-x}`. */
const fallback = /\$\{([A-Za-z_]\w*):?[-=][^}]*\}/g

/** Replaces secrets in texts by references to the variables that hold them. */
export class Secrets {
  readonly #known: readonly (readonly [value: string, name: string])[]

  /**
   * @param variables values of variables, from files and from the configuration
   * @param words names in the project: as a password, such a word hides nothing
   */
  constructor(variables: Iterable<readonly [name: string, value: string]>, words: ReadonlySet<string>) {
    this.#known = [...variables]
      .filter(([name, value]) => value.length >= shortest && isSecretVariable(name) && !value.includes('${'))
      .filter(([, value]) => !words.has(value))
      .map(([name, value]) => [value, name] as const)
      .sort(([a], [b]) => b.length - a.length)
  }

  /** Returns the text with `${NAME}` for each secret. */
  hide(text: string): string {
    let hidden = text
    for (const [value, name] of this.#known) hidden = hidden.replaceAll(value, `\${${name}}`)
    hidden = hidden.replace(fallback, (all, name: string) => (isSecretVariable(name) ? `\${${name}}` : all))
    hidden = hidden.replace(given, (all, dashes: string | undefined, name: string, between: string, value: string) => {
      const isOption = dashes !== undefined
      if ((!isOption && between !== '=') || /^["']?\$/.test(value) || !isSecretVariable(name)) return all
      if (isOption && value.startsWith('-')) return all
      return `${dashes ?? ''}${name}${between}\${${variableOf(name)}}`
    })
    return maskUrls(hidden, `\${PASSWORD}`)
  }
}

function variableOf(name: string): string {
  return name.replaceAll('-', '_').toUpperCase()
}

/** Returns the project without secrets outside of environments, a note for each. */
export function hideSecrets(project: Project, secrets: Secrets, notes: Notes): Project {
  const hide = (value: unknown, name: string, key: string): unknown => {
    if (isTable(value)) return hideAll(value, key)
    if (Array.isArray(value)) return value.map(each => hide(each, name, key))
    if (typeof value !== 'string') return value
    const hidden = isSecretVariable(name) ? `\${${variableOf(name)}}` : secrets.hide(value)
    if (hidden !== value) notes.changed(key, 'a secret is not written: a variable is in its place')
    return hidden
  }
  const hideAll = (table: Table, at: string): Table =>
    Object.fromEntries(
      Object.entries(table).map(([name, value]) => [name, name === 'env' ? value : hide(value, name, `${at}.${name}`)]),
    )
  const services = project.services.map(service => ({
    ...service,
    table: hideAll(service.table, `services.${service.name}`),
  }))
  return { ...project, services }
}
