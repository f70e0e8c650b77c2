import { findProgram, pathFolders } from '../../lib/programs.ts'
import type { EngineMachine } from './machine.ts'

/** The command that installs packages, by its program. */
const managers: Readonly<Record<string, string>> = {
  'apt-get': 'sudo apt install',
  dnf: 'sudo dnf install',
  pacman: 'sudo pacman -S',
  zypper: 'sudo zypper install',
  apk: 'sudo apk add',
}

/** Returns the command that installs a package on this machine; undefined where no package manager is known. */
export async function installCommand({ os, env }: EngineMachine, name: string): Promise<string | undefined> {
  if (os === 'darwin') return `brew install ${name}`
  const folders = [...pathFolders(env['PATH']), '/usr/bin', '/sbin']
  for (const [program, command] of Object.entries(managers)) {
    if ((await findProgram([program], folders)) !== undefined) return `${command} ${name}`
  }
  return undefined
}

/** Returns the sentence that says how to install a package. */
export async function installHint(machine: EngineMachine, name: string): Promise<string> {
  const command = await installCommand(machine, name)
  return command === undefined ? `Install your distribution's \`${name}\` package.` : `Run \`${command}\`.`
}
