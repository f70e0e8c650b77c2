/**
 * Returns whether a path fits a glob: `*` and `?` within a segment, `**` across several; one at the end takes all that
 * follows. In time of at most the product of both lengths, whatever the glob: it comes from a client, and a regular
 * expression made of it could keep the daemon busy.
 */
export function pathGlob(glob: string): (path: string) => boolean {
  const pieces = glob.replace(/\*$/, '**').match(/\*\*\/|\*+|[^*]/gs) ?? []
  const tokens = pieces.flatMap(piece => (piece === '**/' ? ['none or', 'segments'] : [piece]))
  return path => {
    let states = withSkipped(tokens, new Set([0]))
    for (const char of path) {
      states = withSkipped(tokens, step(tokens, states, char))
      if (states.size === 0) return false
    }
    return states.has(tokens.length)
  }
}

/** Returns the positions in the glob after one more character. */
function step(tokens: readonly string[], states: ReadonlySet<number>, char: string): Set<number> {
  const next = new Set<number>()
  for (const at of states) {
    const token = tokens[at]
    if (token === undefined) continue
    const stays = token === 'segments' || token.startsWith('**') || (token === '*' && char !== '/')
    if (stays) next.add(at)
    if (token === char || (char === '/' ? token === 'segments' : token === '?')) next.add(at + 1)
  }
  return next
}

/** Adds the positions behind wildcards that take nothing. */
function withSkipped(tokens: readonly string[], states: Set<number>): Set<number> {
  for (const at of states) {
    const token = tokens[at]
    if (token === 'none or') states.add(at + 1).add(at + 2)
    else if (token?.startsWith('*') === true) states.add(at + 1)
  }
  return states
}
