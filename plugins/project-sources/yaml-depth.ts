/** Levels that the parser certainly has the stack for. */
const levelLimit = 300

/**
 * Returns whether YAML could be nested more deeply than its parser, which is recursive, has the stack for. Where the stack
 * is exhausted while V8 compiles a regular expression, the process aborts: that is no error to catch.
 */
export function isTooDeep(text: string): boolean {
  let open = 0
  for (const character of text) {
    if (character === '[' || character === '{') open++
    else if ((character === ']' || character === '}') && open > 0) open--
    if (open > levelLimit) return true
  }
  // Indicators, anchors and tags at the beginning of a line: `- - - a`.
  return text
    .split('\n')
    .some(
      line => (/^(?:[ \t]*(?:[-?:]|[&!]\S*)(?=[ \t]|$))+/.exec(line)?.[0].match(/[-?:]/g)?.length ?? 0) > levelLimit,
    )
}
