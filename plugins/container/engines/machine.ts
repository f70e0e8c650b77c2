import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { PlatformFacts } from '../../../kernel/contract/plugin.ts'
import { findProgram, type ProgramResult, pathFolders, runProgram } from '../../lib/programs.ts'
import type { EnvFiles } from './env-files.ts'

/** The machine on which engines are looked for. */
export interface EngineMachine {
  readonly os: PlatformFacts['os']
  readonly uid: number
  readonly home: string
  /** The environment that engines are found and run with. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly files: EnvFiles
}

/** An engine that does not answer within this time counts as hung: ms. */
const answerLimit = 30_000

/** The daemon's own variables, of no use to an engine's CLI. */
const own = /^(?:LOCALD_|NODE_|MALLOC_|npm_)/

/** Returns where to search for the CLIs of engines: PATH, then where those of macOS have them without being on it. */
function programFolders({ os, home, env }: EngineMachine): readonly string[] {
  const path = pathFolders(env['PATH'])
  if (os !== 'darwin') return path
  const apps = ['/opt/homebrew/bin', '/opt/podman/bin', '/Applications/Docker.app/Contents/Resources/bin']
  const users = ['.docker/bin', '.orbstack/bin', '.rd/bin'].map(folder => join(home, folder))
  return [...new Set([...path, ...apps, ...users])]
}

/** Returns the path of an engine's CLI, or of the first of several names. */
export function findClient(machine: EngineMachine, ...names: readonly string[]): Promise<string | undefined> {
  return findProgram(names, programFolders(machine))
}

/** As `findClient`, at once, for a flag that is read often: whether there is one. */
export function hasClient(machine: EngineMachine, ...names: readonly string[]): boolean {
  return hasProgramIn(names, programFolders(machine))
}

/** Returns whether one of these programs is on a PATH, or where every system has its own. */
export function hasProgramNow(names: readonly string[], path: string | undefined): boolean {
  return hasProgramIn(names, [...pathFolders(path), '/usr/bin', '/sbin'])
}

function hasProgramIn(names: readonly string[], folders: readonly string[]): boolean {
  return folders.some(folder => names.some(name => isProgramNow(join(folder, name))))
}

function isProgramNow(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Returns the whole environment of an engine's CLI; what it runs is found where it was. */
export function clientEnvironment(machine: EngineMachine): Readonly<Record<string, string>> {
  const kept = Object.entries(machine.env).flatMap(([name, value]) =>
    value === undefined || own.test(name) ? [] : [[name, value] as const],
  )
  return { HOME: machine.home, ...Object.fromEntries(kept), PATH: programFolders(machine).join(delimiter) }
}

/** Runs an engine's CLI for a short answer. */
export function askClient(
  machine: EngineMachine,
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
  timeoutMs = answerLimit,
): Promise<ProgramResult> {
  return runProgram(program, args, { env: clientEnvironment(machine), timeoutMs, signal })
}
