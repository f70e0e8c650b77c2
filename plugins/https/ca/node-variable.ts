import { resolve } from 'node:path'
import type { Host } from '../../../kernel/contract/plugin.ts'
import type { CaBundles } from './bundle.ts'

/** The variable with a file of authorities that Node trusts besides its own. */
const name = 'NODE_EXTRA_CA_CERTS'

/**
 * Sets NODE_EXTRA_CA_CERTS for every service while HTTPS is served: the CA of locald, together with the authorities of
 * the project or the shell.
 * @param caFile returns the CA's root certificate, a PEM file; undefined: no HTTPS is served
 */
export function addNodeVariable(host: Host, bundles: CaBundles, caFile: () => string | undefined): void {
  host.variable({
    name,
    rank: 'fallback',
    value: caFile,
    async check(written, folder) {
      // Node resolves a relative path against its working directory.
      const problem = await bundles.problemOf(resolve(folder, written))
      if (problem === undefined) return undefined
      const message = `${name}: ${problem}; only the CA of locald is trusted in its place`
      return { message, hint: `Fix the file, or unset ${name}.` }
    },
  })
  host.hooks.env.tapPromise('https', async (env, _, { dir, reach }) => {
    const root = reach === 'guest' ? undefined : caFile()
    if (root === undefined) return env
    const written = env[name]
    const file = written === undefined || written === '' ? root : (await bundles.of(root, resolve(dir, written))).file
    return { ...env, [name]: file }
  })
  // A service that restarts keeps its environment: the file follows its sources.
  host.hooks.starting.tapPromise('https', () => bundles.refresh())
}
