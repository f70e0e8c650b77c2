import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { findPython, pythonFiles } from './python.ts'

/** Modules that have the app, by their files. */
const modules = [
  ['app.py', 'app'],
  ['wsgi.py', 'wsgi'],
  ['main.py', 'main'],
  ['app/__init__.py', 'app'],
] as const

/** Flask: a module that imports it, with its development server. */
export const flask: ProjectDetector = {
  files: [...modules.map(([file]) => file), ...pythonFiles],
  async detect(folder) {
    for (const [file, module] of modules) {
      const text = await folder.read(file)
      if (text === undefined || !/^[ \t]*(?:from|import)[ \t]+flask\b/m.test(text)) continue
      const { command } = await findPython(folder)
      return {
        file,
        services: { web: { command: `${command} -m flask --app ${module} run --debug --port $PORT` } },
        watched: [],
      }
    }
    return undefined
  },
}
