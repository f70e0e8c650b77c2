import type { ProjectDetector, ProjectFolder, ServiceTables, Unsuitable } from '../../kernel/contract/plugin.ts'
import { findPython } from './python.ts'

/*
 * Files that describe something which no one can infer a service from: each is named, with a locald.toml to write or the
 * command that writes it.
 */

const pythonFiles = ['app.py', 'main.py', 'wsgi.py', 'server.py', 'run.py', 'src/main.py', 'src/app.py']

/** A Python program of an unknown kind. */
export const pythonProgram = namedFile(pythonFiles, async (folder, file) => ({
  reason: `${file} neither imports a framework that locald knows nor listens`,
  example: servedBy(`${(await findPython(folder)).command} ${file}`),
}))

/** A Dockerfile: the ports that it exposes say what a container of it serves. */
export const dockerfile = namedFile(['Dockerfile', 'Containerfile'], async (folder, file) => {
  const [, port] = /^[ \t]*EXPOSE[ \t]+(\d{1,5})\b/im.exec((await folder.read(file)) ?? '') ?? []
  const container = { type: 'container', build: '.', container_port: Number(port ?? 8080) }
  return {
    reason: `a ${file} alone does not name a service`,
    example: folder.types.includes('container') ? { web: container } : servedBy('node server.js'),
  }
})

/** Files of other languages and tools, with what usually starts a server there. */
const others: readonly (readonly [file: string, command: string])[] = [
  ['build.sbt', 'sbt run'],
  ['project.clj', 'lein run'],
  ['deps.edn', 'clojure -M:run'],
  ['shard.yml', 'crystal run src/server.cr'],
  ['gleam.toml', 'gleam run'],
  ['build.zig', 'zig build run'],
  ['Package.swift', 'swift run'],
  ['pubspec.yaml', 'dart run bin/server.dart'],
  ['stack.yaml', 'stack run'],
  ['cabal.project', 'cabal run'],
  ['rebar.config', 'rebar3 shell'],
  ['cpanfile', 'plackup --host 127.0.0.1 --port $PORT app.psgi'],
  ['CMakeLists.txt', 'cmake -B build && cmake --build build && ./build/server'],
  ['composer.json', 'php -S 127.0.0.1:$PORT -t public'],
  ['Gemfile', 'bundle exec ruby app.rb'],
  ['project.json', 'npx nx serve app'],
  ['pyproject.toml', 'python3 -m app'],
  ['requirements.txt', 'python3 app.py'],
  ['conf.py', 'sphinx-autobuild . _build --port $PORT'],
  ['docs/conf.py', 'sphinx-autobuild docs docs/_build --port $PORT'],
  ['.devcontainer/devcontainer.json', 'npm run dev'],
  ['.tool-versions', 'npm run dev'],
  ['start.sh', 'sh start.sh'],
  ['run.sh', 'sh run.sh'],
]

/** A project that is known by its file only. */
export const otherLanguage: ProjectDetector = {
  files: [...new Set(others.map(([file]) => file.split('/')[0] ?? file))],
  async detect(folder) {
    for (const [file, text] of others)
      if (await folder.has(file))
        return { reason: `${file} does not say which command serves`, example: servedBy(text) }
    return undefined
  },
}

/** A project of one service, which a command runs. */
export function servedBy(command: string): ServiceTables {
  return { web: { command } }
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
