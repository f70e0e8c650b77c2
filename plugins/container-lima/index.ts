import { dirname } from 'node:path'
import type { FeatureState, Plugin } from '../../kernel/contract/plugin.ts'
import { once } from '../lib/once.ts'
import { LimaFiles } from './lima-files.ts'
import type { LimaTimes } from './lima-machine.ts'
import { installHint } from './limactl-program.ts'
import { optionsShape } from './options.ts'
import { isCheckId, titles } from './titles.ts'
import { vmCommand } from './vm-command.ts'

const missing: FeatureState = {
  on: false,
  reason: 'Lima is not installed',
  hint: `${installHint} No service needs a VM where an engine runs.`,
}

/** Creates the plugin; tests give it another environment and shorter times. */
export function containerLima(env: NodeJS.ProcessEnv = process.env, times: LimaTimes = {}): Plugin {
  return {
    name: 'container-lima',
    api: 1,
    after: ['container', 'platform-linux', 'platform-darwin'],
    needs: ['containerEngines'],
    options: optionsShape,
    setup(host) {
      const files = new LimaFiles(host.folders, env)
      let isLoaded = false
      const implementation = once(async () => {
        const { implement } = await import('./implementation.ts')
        isLoaded = true
        return implement(host, env, files, times)
      })
      let feature: FeatureState = { on: false, reason: 'Lima was not looked for yet', hint: installHint }
      const refresh = async (): Promise<void> => {
        feature = (await files.find()) === undefined ? missing : await (await implementation()).feature()
      }
      host.feature('vm', () => feature)
      host.command(vmCommand(async (argv, context) => (await implementation()).command(refresh)(argv, context)))
      host.disk(async () => [
        { what: 'virtual machine', path: files.limaHome },
        { what: 'Lima', path: dirname(files.dist) },
      ])
      for (const [id, title] of Object.entries(titles))
        if (isCheckId(id)) host.check({ id, title, run: async () => (await implementation()).check(id) })
      host.hooks.loaded.tapPromise('container-lima', async () => {
        host.use.containerEngines.add({
          name: 'lima',
          isInstalled: () => files.isInstalled(),
          look: async signal => (await implementation()).look(signal),
          open: async (step, signal) => (await implementation()).open(step, signal),
        })
        await refresh()
      })
      host.hooks.booted.tapPromise('container-lima', async () => {
        if (isLoaded) (await implementation()).watch()
      })
      host.hooks.closing.tapPromise('container-lima', async () => {
        if (isLoaded) await (await implementation()).close()
      })
    },
  }
}

export default containerLima()
