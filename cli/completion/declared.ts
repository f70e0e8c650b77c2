import type { CommandArgumentView, ServiceCommandsAnswer, ServiceCommandView } from '../../kernel/protocol.ts'
import type { Paths } from '../../kernel/system/paths.ts'
import { flagsOf } from '../args/declared-flags.ts'
import { sanitizeLine } from '../output/sanitize.ts'
import type { Candidate, InService, Paths as ShellPaths } from './candidates.ts'
import { ask } from './names.ts'

/** What may be typed in the place of a service. */
export interface NextInService {
  readonly words: readonly Candidate[]
  readonly paths: ShellPaths
}

/** Values of an argument that are one word in every shell. Others are not offered: a file may have any text. */
const plain = /^\w[\w.,@%+/-]*$/
/** Of a description, UTF-16 units. */
const longestText = 80

/** Returns the commands that a service declares, or the flags and values of one; without a daemon none. */
export async function findDeclared(
  paths: Paths,
  cwd: string,
  { service, words: [name, ...words] }: InService,
  current: string,
): Promise<NextInService> {
  const answer = await ask<ServiceCommandsAnswer>(paths, '/v1/services/commands', { path: cwd, service })
  const commands = answer?.services.length === 1 ? (answer.services[0]?.commands ?? []) : []
  if (name === undefined) return { words: commands.map(toCandidate), paths: 'files' }
  const command = commands.find(command => command.name === name)
  return command === undefined
    ? { words: [], paths: 'files' }
    : { words: findFlags(command, words, current), paths: 'none' }
}

function toCandidate({ name, description, run }: ServiceCommandView): Candidate {
  return { word: name, text: toText(description ?? run) }
}

/** Returns the values of the flag at the cursor, or the flags that are not given yet. */
function findFlags(
  { args, confirm }: ServiceCommandView,
  words: readonly string[],
  current: string,
): readonly Candidate[] {
  const joined = /^--[\w-]+=/.exec(current)?.[0] ?? ''
  const typed = joined === '' ? words.at(-1) : joined.slice(0, -1)
  const ofFlag = args.find(argument => argument.type !== 'boolean' && flagsOf(argument).some(flag => flag === typed))
  if (ofFlag !== undefined) return findValues(ofFlag, joined)
  const isGiven = (flag: string) => words.some(word => word === flag || word.startsWith(`${flag}=`))
  const flags = args
    .map(argument => ({ flags: flagsOf(argument), text: toText(argument.description ?? '') }))
    .filter(({ flags }) => !flags.some(isGiven))
    .flatMap(({ flags, text }) => flags.map(word => ({ word, text })))
  return [
    ...flags,
    ...(confirm ? [{ word: '--yes', text: 'Do not ask before' }] : []),
    { word: '--help', text: 'Print help' },
  ]
}

function findValues({ values = [], description = '' }: CommandArgumentView, joined: string): readonly Candidate[] {
  return values
    .filter(value => plain.test(value))
    .map(value => ({ word: `${joined}${value}`, text: toText(description) }))
}

/** Returns one line of a shell's list, which a tab or a newline would split. */
function toText(text: string): string {
  return sanitizeLine(text).replaceAll('\t', ' ').slice(0, longestText)
}
