import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckResult, Plugin } from '../../kernel/contract/plugin.ts'
import type { ShimState } from './provides.ts'
import { ShimPrivileges } from './shim.ts'

/** Does what needs root by the privileged helper, where that is installed. */
const plugin: Plugin = {
  name: 'privileges',
  api: 1,
  after: ['platform-linux', 'platform-darwin'],
  needs: ['shim'],
  setup(host) {
    host.provide('privileges', use => new ShimPrivileges(() => use.shim))
    host.check({
      id: 'shim-version',
      title: 'Version of the privileged helper',
      run: async () => checkVersion(await host.use.shim.look(), join(host.folders.native, 'locald-shim')),
    })
  },
}

export default plugin

/** Checks whether the installed helper is the one of this locald. */
async function checkVersion({ on, path }: ShimState, own: string): Promise<CheckResult> {
  const severity = 'optional'
  const [installed, shipped] = await Promise.all([hashFile(path), hashFile(own)])
  if (shipped === undefined) {
    const summary = `${own} not found: locald was installed or built without it`
    return { status: 'warn', severity, summary, fix: 'Install locald again, or run `npm run build` in its folder.' }
  }
  if (!on || installed === undefined) return { status: 'skip', severity, summary: 'locald-shim is not installed' }
  if (installed === shipped) return { status: 'pass', severity, summary: `${path} is the one of this locald` }
  const summary = `${path} is of another version of locald`
  return { status: 'warn', severity, summary, fix: 'Run `sudo locald admin setup`.' }
}

async function hashFile(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined)
  return bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex')
}
