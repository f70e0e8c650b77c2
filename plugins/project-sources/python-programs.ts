import type { ProjectDetector, ProjectFolder } from '../../kernel/contract/plugin.ts'
import { findPython, pythonFiles } from './python.ts'

/** Where programs are: a file is run, or a module with an application. */
const files = [
  ...['app.py', 'main.py', 'server.py', 'wsgi.py', 'asgi.py', 'run.py', 'api.py', 'web.py'],
  ...['src/app.py', 'src/main.py', 'src/server.py', 'app/main.py', 'app/server.py', 'app/app.py'],
]

/** Classes of applications that a server of their own, or uvicorn, runs: by its arguments, after the application. */
const servers: readonly (readonly [name: string, run: (application: string) => string])[] = [
  ['Quart', application => `-m quart --app ${application} run --reload --port $PORT`],
  ['Litestar', application => `-m litestar --app ${application} run --reload --port $PORT`],
  ['Sanic', application => `-m sanic ${application} --dev --port $PORT`],
  ['(?:Starlette|BlackSheep|Esmerald|Lilya)', application => `-m uvicorn ${application} --reload --port $PORT`],
]

/** Packages whose program chooses its port by a variable, where it is not written. */
const variables: readonly (readonly [name: string, variable: string])[] = [['gradio', 'GRADIO_SERVER_PORT']]

/** What makes a program listen. */
const listens =
  /\b(?:serve_forever|run_app|run_simple|make_server|start_server|HTTPServer|TCPServer)\b|\b(?:uvicorn|hypercorn|waitress|ui|app|server|cherrypy|api|demo|iface|web|bottle|socketio|mcp)\.(?:run|run_server|serve|launch|listen|quickstart|start)\(|^[ \t]*run\(|\.(?:launch|listen)\(/m

/** A program in Python that serves: an application by its own server, or a file that listens. */
export const pythonServer: ProjectDetector = {
  files: [...files, ...pythonFiles],
  async detect(folder) {
    for (const file of files) {
      const text = await folder.read(file)
      if (text === undefined) continue
      const run = argumentsFor(file, text)
      if (run === undefined) continue
      const { command } = await findPython(folder)
      const [, variable] = variables.find(([name]) => imports(text, name)) ?? []
      const port = variable === undefined ? '' : `${variable}=$PORT `
      return { file, services: { web: { command: `${port}${command} ${run}` } }, watched: [] }
    }
    return await packageWithMain(folder)
  },
}

function argumentsFor(file: string, text: string): string | undefined {
  const module = file.replace(/\.py$/, '').replaceAll('/', '.')
  for (const [name, run] of servers) {
    const [, variable] = new RegExp(`^(\\w+)[ \\t]*(?::[^=\\n]+)?=[ \\t]*(?:\\w+\\.)?${name}\\(`, 'm').exec(text) ?? []
    if (variable !== undefined) return run(`${module}:${variable}`)
  }
  return listens.test(text) ? file : undefined
}

function imports(text: string, name: string): boolean {
  return new RegExp(`^[ \\t]*(?:from|import)[ \\t]+${name}\\b`, 'm').test(text)
}

/** `python -m shop`: the only folder with a `__main__.py` that listens. */
async function packageWithMain(folder: ProjectFolder) {
  const found: { readonly file: string; readonly module: string }[] = []
  for (const { name, kind } of await folder.list('.')) {
    if (kind !== 'folder' || !/^[a-z_]\w*$/i.test(name)) continue
    const file = `${name}/__main__.py`
    if ((await folder.read(file)) !== undefined) found.push({ file, module: name })
  }
  const [only, ...others] = found
  if (only === undefined || others.length > 0) return undefined
  const { command } = await findPython(folder)
  const services = { web: { command: `${command} -m ${only.module}` } }
  if (listens.test((await folder.read(only.file)) ?? '')) return { file: only.file, services, watched: [] }
  return { reason: `${only.file} may serve or not`, example: services }
}
