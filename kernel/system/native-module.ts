import { join } from 'node:path'

/** What native/node-module does; without it, as on macOS, nothing. */
export interface NativeModule {
  /** Makes malloc(3) return free memory to the system. */
  trim(): void
  /** Whether no process can read any more what is written to a pipe or socket. */
  isUnread(descriptor: number): boolean
}

/** Loads the module from the folder of the native programs. */
export function loadNativeModule(folder: string): NativeModule {
  const module: { exports: unknown } = { exports: {} }
  try {
    process.dlopen(module, join(folder, 'locald-native.node'))
  } catch {
    return { trim: () => {}, isUnread: () => false }
  }
  const { exports } = module
  const functionOf = (name: string): ((...args: readonly unknown[]) => unknown) => {
    const value: unknown = typeof exports === 'object' && exports !== null ? Reflect.get(exports, name) : undefined
    return typeof value === 'function' ? (...args) => value(...args) : () => undefined
  }
  const trim = functionOf('trim')
  const isUnread = functionOf('isUnread')
  return { trim: () => void trim(), isUnread: descriptor => isUnread(descriptor) === true }
}
