/** Moves to the beginning of the line: carriage return; ECMA-48 CHA to column 1. */
const returns = /\r|\x1b\[[01]?G/
/** ECMA-48 EL: erases the whole line; erases from here to its end. */
const eraseAll = '\x1b[2K'
const eraseRest = /^(?:\x1b\[[\d;:]*m)*\x1b\[0?K/
/** ECMA-48 CSI sequences and strings, other escapes, control characters but tab: nothing that is seen. */
const unseen =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|[\x00-\x08\x0a-\x1f\x7f]/g

/**
 * Returns what a terminal shows of a line in the end: of a text that was overwritten or erased, such as a spinner, what
 * was written last. Its colours, and sequences that do neither, stay.
 */
export function lastWritten(text: string): string {
  if (!returns.test(text) && !text.includes(eraseAll)) return text
  let shown = ''
  for (const [at, piece] of text.split(returns).entries()) {
    const erased = piece.lastIndexOf(eraseAll)
    const written = erased === -1 ? piece : piece.slice(erased + eraseAll.length)
    if (written.replace(unseen, '') !== '') shown = written
    else if (erased !== -1 || (at > 0 && eraseRest.test(piece))) shown = ''
  }
  return shown
}
