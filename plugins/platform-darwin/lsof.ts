/** A listening TCP socket of a process. */
export interface Socket {
  readonly pid: number
  readonly command: string
  readonly address: string
  readonly port: number
}

/**
 * Lists all visible listening TCP sockets as fields (lsof(8), OUTPUT FOR OTHER PROGRAMS), with whole command names.
 * `-b` avoids file systems: an unreachable server or Time Machine disk would block it for minutes
 * (openclaw/openclaw#75767).
 */
export const lsofArgs: readonly string[] = ['-b', '-w', '-nP', '+c', '0', '-iTCP', '-sTCP:LISTEN', '-Fpctn']

/** Parses lsof's fields: a `p` line begins a process, an `f` line a file, `t` is its type, `n` its address. */
export function parseLsof(lines: readonly string[]): readonly Socket[] {
  const sockets: Socket[] = []
  let pid = 0
  let command = ''
  let type = ''
  for (const field of lines) {
    const value = field.slice(1)
    if (field.startsWith('p')) [pid, command] = [Number(value), '']
    else if (field.startsWith('c')) command = decodeEscapes(value)
    else if (field.startsWith('f')) type = ''
    else if (field.startsWith('t')) type = value
    else if (field.startsWith('n')) {
      // A connection has two addresses.
      const name = /^([^>]+):(\d+)$/.exec(value.replace(/ \(LISTEN\)$/, ''))
      if (name?.[1] !== undefined)
        sockets.push({ pid, command, address: addressOf(name[1], type), port: Number(name[2]) })
    }
  }
  return sockets
}

/** Parses an address: lsof prints `*` for any address of the family, and IPv6 in brackets. */
function addressOf(name: string, type: string): string {
  if (name === '*') return type === 'IPv6' ? '::' : '0.0.0.0'
  return name.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/, '')
}

/** Decodes escapes: `Google\x20Chrome` is `Google Chrome`. */
function decodeEscapes(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}
