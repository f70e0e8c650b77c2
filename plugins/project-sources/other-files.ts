import type { ProjectDetector, ProjectFolder, ServiceTables, Unsuitable } from '../../kernel/contract/plugin.ts'

/*
 * Files that describe something which no one can infer a service from: each is named, with a locald.toml to write or the
 * command that writes it.
 */

const composeFiles = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml']
const pythonFiles = ['app.py', 'main.py', 'wsgi.py', 'server.py']

/** A compose file, which `locald init` translates. */
export const composeFile = namedFile(composeFiles, async (_, file) => ({
  reason: `${file} has to be translated`,
  hint: `Run \`locald init --from compose\` to translate ${file} to a locald.toml.`,
}))

/** Makes a detector that notes a compose file beside what it finds: people expect its database to run, too. */
export function withComposeNote(detector: ProjectDetector): ProjectDetector {
  return {
    ...detector,
    async detect(folder) {
      const found = await detector.detect(folder)
      if (found === undefined || 'reason' in found) return found
      for (const file of composeFiles)
        if (await folder.has(file)) return { ...found, notes: [...(found.notes ?? []), noteOf(file)] }
      return found
    },
  }
}

function noteOf(file: string): string {
  return `${file} is not used: \`locald service add\` adds a database, \`locald init --from compose\` translates the file`
}

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
