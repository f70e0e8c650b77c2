import type { ProcessTree } from '../../kernel/contract/plugin.ts'

/** What a later daemon needs to adopt a process. */
export interface KeeperState {
  readonly socket: string
  readonly exitFile: string
  readonly tree: ProcessTree & Required<Pick<ProcessTree, 'starts'>>
}

/** Returns whether a state is one of this version. */
export function isKeeperState(value: unknown): value is KeeperState {
  if (typeof value !== 'object' || value === null) return false
  if (!hasTexts(value, 'socket', 'exitFile')) return false
  const tree: unknown = Reflect.get(value, 'tree')
  if (typeof tree !== 'object' || tree === null) return false
  const starts: unknown = Reflect.get(tree, 'starts')
  if (typeof starts !== 'object' || starts === null || !hasTexts(starts, 'keeper', 'main')) return false
  return ['keeper', 'pid', 'pgid', 'startedMs'].every(key => Number.isInteger(Reflect.get(tree, key)))
}

function hasTexts(value: object, ...keys: readonly string[]): boolean {
  return keys.every(key => typeof Reflect.get(value, key) === 'string')
}
