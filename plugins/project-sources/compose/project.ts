import { relative, sep } from 'node:path'
import type { Names } from './names.ts'
import type { Mapping } from './node.ts'
import type { Scope } from './template.ts'

/** What the translation of each service reads. */
export interface ComposeProject {
  /** The folder of locald.toml. */
  readonly root: string
  /** The folder of the first compose file. */
  readonly folder: string
  /** The merged files. */
  readonly model: Mapping
  readonly scope: Scope
  readonly names: Names
  /** Whether a service is written as one; others are comments. */
  isActive(name: string): boolean
}

/** Writes a path relative to the project, `./web`, unless it is far away. */
export function pathFrom(root: string, path: string): string {
  const way = relative(root, path)
  if (way === '') return '.'
  const steps = way.split(sep)
  const ups = steps.filter(step => step === '..').length
  if (ups === 0) return `./${way}`
  return ups > 2 ? path : way
}
