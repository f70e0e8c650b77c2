import { runProgram } from '../lib/programs.ts'
import { findProgramOn, type Machine } from './machine.ts'

/** ms; it is a shell script, which may ask the desktop. */
const limitMs = 3000
/** The programs of snaps have the snap's name before a `_`, those of Flatpak are named by a domain. */
const isPlainProgram = /^[^._]+\.desktop$/

/**
 * Returns whether xdg-open shows a file of a private folder in the browser: where one program opens both pages and URLs,
 * and runs in no sandbox that hides the folder from it.
 */
export async function opensFiles(machine: Machine): Promise<boolean> {
  const program = await findProgramOn(machine, ['xdg-mime'])
  if (program === undefined) return false
  const ask = async (type: string): Promise<string> =>
    (await runProgram(program, ['query', 'default', type], { env: machine.env, timeoutMs: limitMs })).stdout.trim()
  const [page, web] = await Promise.all(['text/html', 'x-scheme-handler/http'].map(ask))
  return page !== undefined && page === web && isPlainProgram.test(page)
}
