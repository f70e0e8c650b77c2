/**
 * Keeps what is written to stderr while the screen is drawn, such as a warning of another module: it would be printed
 * into the middle of it. The result stops that and returns the text.
 */
export function holdStderr(): () => string {
  const { stderr } = process
  const { write } = stderr
  let held = ''
  stderr.write = (chunk: string | Uint8Array): boolean => {
    if (held.length < most) held += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8')
    return true
  }
  return () => {
    stderr.write = write
    return held
  }
}

/** UTF-16 units. */
const most = 64 * 1024
