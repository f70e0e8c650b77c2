import type { Denial } from '../../kernel/contract/plugin.ts'

/**
 * Folders that macOS keeps from programs until their user allows it: "Control access to files and folders on Mac",
 * Apple's Mac User Guide. There only: other systems have no such paths.
 */
const guarded: readonly (readonly [RegExp, string])[] = [
  [/^\/Users\/[^/]+\/Documents(?=\/|$)/, 'the Documents folder'],
  [/^\/Users\/[^/]+\/Desktop(?=\/|$)/, 'the Desktop folder'],
  [/^\/Users\/[^/]+\/Downloads(?=\/|$)/, 'the Downloads folder'],
  [/^\/Users\/[^/]+\/Library\/Mobile Documents(?=\/|$)/, 'iCloud Drive'],
  [/^\/Users\/[^/]+\/Library\/CloudStorage(?=\/|$)/, 'cloud storage'],
  [/^\/Volumes\/[^/]+(?=\/|$)/, 'that volume'],
]

/**
 * Explains EPERM for a path in one of these folders: stat(2) of it works, open(2) and getcwd(3) do not. What counts is
 * the program that macOS holds responsible: the terminal that the daemon was started from, as long as it runs, else
 * Node itself, as for a job of launchd, which has the job's label in its environment. Undefined for other codes and
 * paths.
 */
export function explainDenial(
  path: string,
  code: string | undefined,
  job: string | undefined = process.env['XPC_SERVICE_NAME'],
): Denial | undefined {
  const found = code === 'EPERM' ? guarded.find(([folder]) => folder.test(path)) : undefined
  if (found === undefined) return undefined
  const allow = `in System Settings › Privacy & Security › Files and Folders, or Full Disk Access, for ${process.execPath}; or move the project elsewhere.`
  const message = `macOS keeps the daemon from ${found[1]}`
  if (job?.startsWith('dev.locald') === true) {
    return { message, hint: `Allow it ${allow}`, brief: `allow it for ${process.execPath} in System Settings` }
  }
  const restart = '`locald server restart` in a terminal that may read it'
  return { message, hint: `Run ${restart}, then restart the services; or allow it ${allow}`, brief: restart }
}
