/**
 * `locald/plugin`: what a plugin may import. All of it but `shape`, `LocaldError`, `readTextFile` and
 * `readTextFileNow` is types, so that a plugin needs locald only to be compiled, if it uses none of these.
 */
export { type ErrorCode, type ErrorDetails, LocaldError } from '../errors.ts'
export * from './plugin.ts'
export { shape } from './shape.ts'
