import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { StoreMachine } from '../../../plugins/https/trust/machine.ts'

export const domains = ['localhost', 'test']

export const day = 86_400_000

export function programOf(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return folders.map(folder => join(folder, name)).find(file => existsSync(file))
}

export function machineAt(home: string, more: Partial<StoreMachine> = {}): StoreMachine {
  // Nothing of this machine's own store is touched.
  return { os: 'linux', uid: 1000, root: home, home, path: process.env['PATH'] ?? '', native: home, ...more }
}
