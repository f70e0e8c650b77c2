import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { findPython, pythonFiles } from './python.ts'

/** Modules that have the app, by their files. */
const modules = [
  ['app.py', 'app'],
  ['wsgi.py', 'wsgi'],
  ['main.py', 'main'],
  ['server.py', 'server'],
  ['run.py', 'run'],
  ['api.py', 'api'],
  ['application.py', 'application'],
  ['hello.py', 'hello'],
  ['src/app.py', 'src.app'],
  ['app/__init__.py', 'app'],
  ['flaskr/__init__.py', 'flaskr'],
  ['src/__init__.py', 'src'],
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
