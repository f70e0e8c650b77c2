import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ProjectRef } from '../../../kernel/contract/plugin.ts'

export const quiet = { info: () => {}, warn: () => {}, error: () => {} }

/** Makes a log that keeps its lines. */
export function recordingLog(): {
  readonly lines: string[]
  info(text: string): void
  warn(text: string): void
  error(text: string): void
} {
  const lines: string[] = []
  const say = (text: string) => void lines.push(text)
  return { lines, info: say, warn: say, error: say }
}

/** Creates the folder of a project below another. */
export function project(parent: string, path: string): string {
  const at = join(parent, path)
  mkdirSync(at, { recursive: true })
  return at
}

export function ref(path: string, name: string, domain = `${name}.localhost`): ProjectRef {
  return { name, path, domain }
}

export const reserved = () => ['locald.localhost']
