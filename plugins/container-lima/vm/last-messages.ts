import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readLine } from '../limactl-log.ts'

const lines = 40
/** Read from the end of a file: bytes. */
const tailBytes = 64 * 1024

/** Returns the last messages of the host agent, and of the VM's own consoles. */
export async function readLastMessages(dir: string): Promise<string> {
  const names = await readdir(dir).catch(() => [])
  const wanted = ['ha.stderr.log', ...names.filter(name => /^serial.*\.log$/.test(name)).sort()]
  const parts: string[] = []
  for (const name of wanted) {
    const file = join(dir, name)
    const tail = (await readTail(file)).slice(-lines)
    if (tail.length > 0) parts.push(`${file}:`, ...tail.map(line => `  ${format(line, name)}`))
  }
  return parts.length === 0 ? `The VM has written no messages to ${dir}` : parts.join('\n')
}

function format(line: string, name: string): string {
  const message = name === 'ha.stderr.log' ? readLine(line) : undefined
  // A console's colours and cursor movements would change the reader's terminal.
  return message === undefined
    ? line.replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f]/g, '')
    : `${message.level}: ${message.text}`
}

async function readTail(path: string): Promise<readonly string[]> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return []
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - tailBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    const all = buffer.toString('utf8', 0, bytesRead).split('\n')
    return (from > 0 ? all.slice(1) : all).filter(line => line.trim() !== '')
  } finally {
    await file.close()
  }
}
