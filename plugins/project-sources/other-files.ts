import type { ProjectDetector, ProjectFolder, ServiceTables, Unsuitable } from '../../kernel/contract/plugin.ts'

/*
 * Files that describe something which no one can infer a service from: each is named, with a locald.toml to write or the
 * command that writes it.
 */

const pythonFiles = ['app.py', 'main.py', 'wsgi.py', 'server.py']

/** A Python program of an unknown kind. */
export const pythonProgram = namedFile(pythonFiles, async (_, file) => ({
  reason: `${file} imports no Flask, FastAPI or Streamlit`,
  example: command(`python3 ${file}`),
}))

/** A Dockerfile: the ports that it exposes say what a container of it serves. */
export const dockerfile = namedFile(['Dockerfile', 'Containerfile'], async (folder, file) => {
  const [, port] = /^[ \t]*EXPOSE[ \t]+(\d{1,5})\b/im.exec((await folder.read(file)) ?? '') ?? []
  const container = { type: 'container', build: '.', container_port: Number(port ?? 8080) }
  return {
    reason: `a ${file} alone does not name a service`,
    example: folder.types.includes('container') ? { web: container } : command('node server.js'),
  }
})

const targets = ['dev', 'run', 'serve', 'start', 'up']

/** A Makefile: one of its targets may serve. */
export const makefile = namedFile(['Makefile', 'makefile', 'GNUmakefile'], async (folder, file) => {
  const text = (await folder.read(file)) ?? ''
  const target = targets.find(name => new RegExp(`^${name}\\s*:(?!=)`, 'm').test(text)) ?? 'run'
  return { reason: `which target of ${file} serves is unknown`, example: command(`make ${target}`) }
})

function command(text: string): ServiceTables {
  return { web: { command: text } }
}

/** Makes a detector of the first of these files, which never describes a project. */
function namedFile(
  files: readonly string[],
  explain: (folder: ProjectFolder, file: string) => Promise<Unsuitable>,
): ProjectDetector {
  return {
    files,
    async detect(folder) {
      for (const file of files) if (await folder.has(file)) return explain(folder, file)
      return undefined
    },
  }
}
