import { type EngineMachine, hasProgramNow } from './machine.ts'

/** The command that installs packages, by its program. */
const managers: Readonly<Record<string, string>> = {
  'apt-get': 'sudo apt install',
  dnf: 'sudo dnf install',
  pacman: 'sudo pacman -S',
  zypper: 'sudo zypper install',
  apk: 'sudo apk add',
}

/** Returns the command that installs a package on this machine; undefined where no package manager is known. */
export function installCommand({ os, env }: EngineMachine, name: string): string | undefined {
  if (os === 'darwin') return `brew install ${name}`
  const program = Object.keys(managers).find(each => hasProgramNow([each], env['PATH']))
  return program === undefined ? undefined : `${managers[program]} ${name}`
}

/** Returns the sentence that says how to install a package. */
export function installHint(machine: EngineMachine, name: string): string {
  const command = installCommand(machine, name)
  return command === undefined ? `Install your distribution's \`${name}\` package.` : `Run \`${command}\`.`
}
