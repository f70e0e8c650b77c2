import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../../../kernel/contract/plugin.ts'
import { shape } from '../../../kernel/contract/shape.ts'
import { textOf } from '../../lib/json.ts'
import { Engines } from './engines.ts'
import { EnvFiles } from './env-files.ts'
import { readContainersFlag } from './flag.ts'
import { RememberedEngines } from './remembered.ts'

/** The table `[plugins.container]`. */
export const settings = shape({
  type: 'object',
  properties: {
    engine: {
      type: 'string',
      minLength: 1,
      description:
        'Container engine: podman, docker or lima. Default: the one that the environment names, or that runs.',
    },
  },
  additionalProperties: false,
})

/** Declares the engines of this machine, their register and the flag `containers`. */
export function declareEngines(host: Host): Engines {
  const { data, runtime } = host.folders
  const files = new EnvFiles(join(runtime, 'container-env'))
  const { os, uid } = host.platform
  const machine = { os, uid, home: process.env['HOME'] || homedir(), env: process.env, files }
  const remembered = new RememberedEngines(join(data, 'containers', 'engines.json'), host.log)
  const engines = new Engines({ machine, setting: textOf(host.options, 'engine'), remembered })
  host.provide('containerEngines', () => engines)
  host.feature('containers', () => readContainersFlag(engines))
  host.hooks.booted.tap('container', () => files.clear())
  host.onClose(() => files.clear())
  return engines
}
