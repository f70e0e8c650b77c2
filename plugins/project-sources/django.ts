import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { assetsOf } from './package-json.ts'
import { findPython, pythonFiles } from './python.ts'

/** Django: manage.py, with its development server. */
export const django: ProjectDetector = {
  files: ['manage.py', 'package.json', ...pythonFiles],
  async detect(folder) {
    const text = await folder.read('manage.py')
    if (text === undefined) return undefined
    if (!/\bdjango\b/.test(text)) return { reason: 'manage.py does not use Django' }
    const { command } = await findPython(folder)
    return {
      file: 'manage.py',
      services: { web: { command: `${command} manage.py runserver 127.0.0.1:$PORT` }, ...(await assetsOf(folder)) },
      watched: ['package.json'],
    }
  },
}
