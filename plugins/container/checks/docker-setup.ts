import { join } from 'node:path'
import type { CheckResult } from '../../../kernel/contract/plugin.ts'
import { readJson } from '../../lib/files.ts'
import { fieldOf } from '../../lib/json.ts'
import { installHint } from '../engines/install-hint.ts'
import { type EngineMachine, hasClient } from '../engines/machine.ts'
import { findSockets } from '../engines/sockets.ts'
import { pass, skip, warn } from './result.ts'

/** Checks what docker's CLI needs: the CLI itself where an engine has a socket, and the helpers of its configuration. */
export async function checkDocker(machine: EngineMachine): Promise<CheckResult> {
  const title = 'docker'
  const sockets = await findSockets(machine)
  const products = [...new Set(sockets.map(({ product }) => product))].join(', ')
  if (!hasClient(machine, 'docker')) {
    if (products === '') return skip(`${title}: not installed`)
    return warn(`${title}: ${products} is there, and the command \`docker\` is not`, installHint(machine, 'docker'))
  }
  const missing = await missingHelper(machine)
  if (missing !== undefined) {
    const fix = `Install it, or remove \`credsStore\` and \`credHelpers\` from ${configFile(machine)}.`
    return warn(`${title}: its configuration names ${missing}, which is not installed: pulls fail`, fix)
  }
  return pass(`${title}: ${products === '' ? 'its configuration can be used' : `sockets of ${products}`}`)
}

/** Returns a credential helper that docker's configuration names and that is not there, as after removing Docker Desktop. */
async function missingHelper(machine: EngineMachine): Promise<string | undefined> {
  const config = await readJson(configFile(machine))
  const helpers = fieldOf(config, 'credHelpers')
  const named = [
    fieldOf(config, 'credsStore'),
    ...(typeof helpers === 'object' && helpers ? Object.values(helpers) : []),
  ]
  const programs = named.flatMap(name => (typeof name === 'string' && name !== '' ? [`docker-credential-${name}`] : []))
  return programs.find(program => !hasClient(machine, program))
}

function configFile({ env, home }: EngineMachine): string {
  return join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json')
}
