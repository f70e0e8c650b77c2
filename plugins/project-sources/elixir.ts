import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { compileSeconds } from './go.ts'

/** Phoenix: a mix.exs that names it. */
export const phoenix: ProjectDetector = {
  files: ['mix.exs'],
  async detect(folder) {
    const text = await folder.read('mix.exs')
    if (text === undefined) return undefined
    const run = (command: string) => ({ web: { command, ready_timeout: compileSeconds } })
    if (/:phoenix\b/.test(text)) return { file: 'mix.exs', services: run('mix phx.server') }
    return { reason: 'mix.exs does not use Phoenix', example: run('mix run --no-halt') }
  },
}
