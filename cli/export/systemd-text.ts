/** A section of a unit: its name, and its settings in order. What is undefined is left out. */
export type Section = readonly [name: string, settings: readonly (readonly [key: string, value: string | undefined])[]]

/** What C has a short escape for: the others are written by their numbers. */
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '\r': '\\r' }

/** Writes a unit. https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html */
export function unitText(sections: readonly Section[]): string {
  const texts = sections.map(([name, settings]) =>
    [`[${name}]`, ...settings.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))].join('\n'),
  )
  return `${texts.join('\n\n')}\n`
}

/** Quotes a word, and keeps `%` from being a specifier. */
export function quoted(text: string): string {
  const escaped = (character: string) =>
    escapes[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  return `"${text.replace(/[\\"\u0000-\u001f\u007f]/g, escaped).replaceAll('%', '%%')}"`
}

/** Quotes a word of a command line, where `$` would be a variable, too. */
export function quotedArgument(text: string): string {
  return quoted(text).replaceAll('$', '$$$$')
}

/** Writes a path, which takes no quotes. */
export function pathText(path: string): string {
  return path.replaceAll('%', '%%')
}

/** Writes a path of which a setting takes patterns. */
export function patternText(path: string): string {
  return pathText(path.replace(/[\\*?[]/g, '\\$&'))
}
