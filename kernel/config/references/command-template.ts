import type { Name } from './interpolation.ts'

/** What a `${…}` of a custom command stands for: one of its arguments, or what `env` may refer to besides variables. */
export type CommandName =
  | { readonly of: 'argument'; readonly name: string }
  | Exclude<Name, { readonly of: 'variable' }>

/** A line for `sh -c` in which each `${…}` of locald's is a shell variable, and what these stand for, in order. */
export interface CommandTemplate {
  readonly script: string
  readonly names: readonly CommandName[]
}

/** Why a line cannot be run as it is written. */
export interface CommandFault {
  readonly fault: string
  readonly hint: string
}

/** Where a character of a shell's line is: in a command, which may be one of `$(…)`, or in double quotes. */
type Place = { readonly in: 'command'; parentheses: number } | { readonly in: 'double quotes' }

const known =
  /\$\{(?:(?:services|projects\.([a-z0-9-]+))\.([a-z0-9-]+)\.(ports\.\d+|[A-Za-z_]\w*)|project\.(name|domain)|([a-z0-9-]+))\}/y

/**
 * Parses the line of a custom command. `${NAME}` of an argument, `${services.NAME.FIELD}`, the same of another project,
 * `${projects.PROJECT.NAME.FIELD}`, and `${project.name|domain}` become quoted variables of the shell, never text of its program: a value stays one word, whatever is in it. `$${` is a
 * literal `${`; all else is the shell's. A reference where quoting cannot be known is a fault.
 */
export function parseCommand(text: string, args: readonly string[]): CommandTemplate | CommandFault {
  return new Line(text, args).parse()
}

/** Returns the words that run a line: its values are parameters of the shell (POSIX 2024, sh, `-c`). `$0` is `name`. */
export function commandWords({ script, names }: CommandTemplate, name: string, values: readonly string[]) {
  if (names.length === 0) return ['/bin/sh', '-c', script, name] as const
  const assignments = names.map((_, at) => `${variableAt(at)}=\${${at + 1}}`)
  return ['/bin/sh', '-c', `${assignments.join(' ')}; shift ${names.length}; ${script}`, name, ...values] as const
}

/** Not exported, so that programs do not see it. */
function variableAt(index: number): string {
  return `LOCALD_ARG_${index + 1}`
}

class Line {
  readonly #text: string
  readonly #args: readonly string[]
  readonly #names: CommandName[] = []
  readonly #places: Place[] = [{ in: 'command', parentheses: 0 }]
  #script = ''
  #at = 0
  #fault: CommandFault | undefined

  constructor(text: string, args: readonly string[]) {
    this.#text = text
    this.#args = args
  }

  parse(): CommandTemplate | CommandFault {
    // Without a reference nothing needs to be known of its quotes.
    if (!this.#hasReference(0, this.#text.length)) return { script: this.#text.replaceAll('$${', '${'), names: [] }
    while (this.#at < this.#text.length && this.#fault === undefined) this.#step()
    return this.#fault ?? { script: this.#script, names: this.#names }
  }

  #step(): void {
    const place = this.#places.at(-1)
    if (this.#isNext('\\')) this.#copy(2)
    else if (this.#isNext('$${')) this.#shellBraces(3)
    else if (this.#isNext('${')) this.#reference()
    else if (this.#isNext('$((')) this.#arithmetic()
    else if (this.#isNext('$(')) {
      this.#copy(2)
      this.#places.push({ in: 'command', parentheses: 0 })
    } else if (this.#isNext('`')) this.#opaque(this.#find(/`(?:\\[\s\S]|[^\\`])*`/y), 'in backquotes', 'Write $(…).')
    else if (place?.in === 'command') this.#command(place)
    else if (this.#isNext('"')) this.#leave()
    else this.#copy(1)
  }

  /** Reads a character of a command outside of quotes. */
  #command(place: Extract<Place, { in: 'command' }>): void {
    const before = this.#text[this.#at - 1] ?? ' '
    if (this.#isNext("$'")) this.#refuse("has $'…', which not every sh knows", `Write "$(printf '…')".`)
    else if (this.#isNext('<<'))
      this.#refuse(`has a here-document beside a \${…}`, 'Write printf … |, or use a script.')
    else if (this.#isNext("'")) this.#opaque(this.#find(/'[^']*'/y), 'in single quotes', 'Use double quotes.')
    else if (this.#isNext('#') && /[\s;&|()]/.test(before)) this.#copy(this.#find(/[^\n]*/y))
    else if (this.#isNext('case') && this.#places.length > 1)
      this.#refuse("has a 'case' in $(…) beside a reference", 'Use a script.')
    else if (this.#isNext('"')) {
      this.#copy(1)
      this.#places.push({ in: 'double quotes' })
    } else if (this.#isNext(')') && place.parentheses === 0 && this.#places.length > 1) this.#leave()
    else {
      if (this.#isNext('(')) place.parentheses++
      if (this.#isNext(')')) place.parentheses--
      this.#copy(1)
    }
  }

  #reference(): void {
    const found = this.#nameAt(this.#at)
    if (found !== undefined) {
      this.#at += found.length
      const variable = `\${${variableAt(this.#indexOf(found.name))}}`
      this.#script += this.#places.at(-1)?.in === 'double quotes' ? variable : `"${variable}"`
    } else if (this.#isOurs(this.#at))
      this.#refuse(`has a \${…} at column ${this.#at + 1} that names nothing`, 'Write $${ for a literal ${.')
    else this.#shellBraces(2)
  }

  /** Reads a `${…}` of the shell's own, of which `length` characters open it. */
  #shellBraces(length: number): void {
    this.#script += '${'
    this.#at += length
    const end = this.#endOf('{', '}')
    this.#opaque(end, `in another \${…}`, 'Assign it to a variable before.')
  }

  #arithmetic(): void {
    this.#copy(2)
    this.#opaque(this.#endOf('(', ')'), 'in $((…))', 'Assign it to a variable before.')
  }

  /** Returns how many characters there are up to the one that closes a pair, of which one is open. */
  #endOf(open: string, close: string): number {
    const quotes = this.#places.at(-1)?.in === 'command' ? `'"` : '"'
    let quote: string | undefined
    let depth = 1
    for (let at = this.#at; at < this.#text.length; at++) {
      const character = this.#text[at] ?? ''
      if (character === '\\' && quote !== "'") at++
      else if (character === quote) quote = undefined
      else if (quote !== undefined) continue
      else if (quotes.includes(character)) quote = character
      else if (character === open) depth++
      else if (character === close && --depth === 0) return at + 1 - this.#at
    }
    return this.#text.length - this.#at
  }

  /** Copies a part that has quotes of its own: a reference in it is a fault. */
  #opaque(length: number, where: string, hint: string): void {
    if (this.#hasReference(this.#at, this.#at + length))
      this.#refuse(`has a \${…} ${where}, where it cannot be one word`, hint)
    else this.#copy(length)
  }

  #hasReference(from: number, until: number): boolean {
    for (let at = this.#text.indexOf('${', from); at >= 0 && at < until; at = this.#text.indexOf('${', at + 2))
      if (this.#text[at - 1] !== '$' && (this.#nameAt(at) !== undefined || this.#isOurs(at))) return true
    return false
  }

  /** Whether a `${` begins a reference that no shell knows. */
  #isOurs(at: number): boolean {
    return ['${services.', '${projects.', '${project.'].some(head => this.#text.startsWith(head, at))
  }

  /** Returns what the `${…}` at an index is, and its length; undefined where it is the shell's. */
  #nameAt(at: number): { readonly name: CommandName; readonly length: number } | undefined {
    known.lastIndex = at
    const match = known.exec(this.#text)
    if (match === null) return undefined
    const [{ length }, other, own, field, project, name] = match
    if (own !== undefined && field !== undefined) {
      const service = other === undefined ? own : `${other}:${own}`
      return { name: { of: 'service', service, field }, length }
    }
    if (project === 'name' || project === 'domain') return { name: { of: 'project', field: project }, length }
    return name !== undefined && this.#args.includes(name) ? { name: { of: 'argument', name }, length } : undefined
  }

  #indexOf(name: CommandName): number {
    const text = JSON.stringify(name)
    const index = this.#names.findIndex(each => JSON.stringify(each) === text)
    return index >= 0 ? index : this.#names.push(name) - 1
  }

  #isNext(text: string): boolean {
    return this.#text.startsWith(text, this.#at)
  }

  /** Returns the length of what matches here; of the rest where nothing does. */
  #find(pattern: RegExp): number {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0].length ?? this.#text.length - this.#at
  }

  #copy(length: number): void {
    this.#script += this.#text.slice(this.#at, this.#at + length)
    this.#at += length
  }

  /** Copies what closes a place. */
  #leave(): void {
    this.#copy(1)
    this.#places.pop()
  }

  #refuse(fault: string, hint: string): void {
    this.#fault ??= { fault, hint }
  }
}
