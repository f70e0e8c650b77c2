import type { ProjectDetector } from '../../kernel/contract/plugin.ts'
import { findPython, pythonFiles } from './python.ts'

const files = [
  ...['main.py', 'app/main.py', 'app.py', 'src/main.py', 'api/main.py', 'server.py', 'api.py'],
  ...['src/app.py', 'app/app.py', 'app/api.py', 'src/app/main.py', 'app/server.py'],
] as const

/** FastAPI: a module with an app, by `fastapi dev` where that is installed, else by uvicorn. */
export const fastapi: ProjectDetector = {
  files: [...files, ...pythonFiles],
  async detect(folder) {
    for (const file of files) {
      const app = findApp(await folder.read(file))
      if (app === undefined) continue
      const python = await findPython(folder)
      const module = file.replace(/\.py$/, '').replaceAll('/', '.')
      const command = (await python.has('fastapi-cli'))
        ? `${python.command} -m fastapi dev ${file} --port $PORT`
        : `${python.command} -m uvicorn ${module}:${app} --reload --port $PORT`
      return { file, services: { web: { command } }, watched: [] }
    }
    return undefined
  },
}

/** Returns the name of the variable that has the app. */
function findApp(text: string | undefined): string | undefined {
  return text === undefined ? undefined : /^(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)?FastAPI\(/m.exec(text)?.[1]
}
