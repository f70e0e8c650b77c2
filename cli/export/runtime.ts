import { join } from 'node:path'
import { exists } from '../../kernel/system/stat.ts'

/** An image for a command that has none, and how a check can be made inside. */
export interface Runtime {
  readonly image: string
  /** Returns a shell command that fails until the port answers, or the path answers with a status below 400. */
  probe(port: number, path: string | undefined): string
}

const withNode = {
  probe: (port: number, path: string | undefined) =>
    path === undefined
      ? `node -e "require('net').connect(${port},'127.0.0.1').on('connect',()=>process.exit(0)).on('error',()=>process.exit(1))"`
      : `node -e "fetch('http://127.0.0.1:${port}'+process.argv[1]).then(r=>process.exit(r.ok?0:1),()=>process.exit(1))" ${quote(path)}`,
}

const withPython = {
  probe: (port: number, path: string | undefined) =>
    path === undefined
      ? `python3 -c "import socket; socket.create_connection(('127.0.0.1', ${port}), 1)"`
      : `python3 -c "import sys, urllib.request; urllib.request.urlopen('http://127.0.0.1:${port}' + sys.argv[1])" ${quote(path)}`,
}

/** The tools of most images: bash in those based on Debian, wget also in BusyBox. */
export const withTools = {
  probe: (port: number, path: string | undefined) =>
    path === undefined
      ? `bash -c '</dev/tcp/127.0.0.1/${port}'`
      : `wget -q -O /dev/null ${quote(`http://127.0.0.1:${port}${path}`)}`,
}

/** Each image with the programs that begin a command, and the files beside it. */
const runtimes = [
  ['node:22', withNode, /^(?:node|npm|npx|pnpm|yarn|tsx|vite|next)$/, ['package.json']],
  ['oven/bun:1', withTools, /^bunx?$/, ['bun.lock', 'bun.lockb']],
  ['denoland/deno:2', withTools, /^deno$/, ['deno.json', 'deno.jsonc']],
  [
    'python:3',
    withPython,
    /^(?:python[\d.]*|uv|uvicorn|gunicorn|flask|django-admin|fastapi|celery|poetry|pipenv)$/,
    ['pyproject.toml', 'requirements.txt', 'manage.py'],
  ],
  ['golang:1', withTools, /^(?:go|air)$/, ['go.mod']],
  ['rust:1', withTools, /^cargo$/, ['Cargo.toml']],
  ['ruby:3', withTools, /^(?:ruby|bundle|rails|rackup|puma|(?:\.\/)?bin\/rails)$/, ['Gemfile']],
  ['php:8-cli', withTools, /^(?:php|composer)$/, ['composer.json']],
  [
    'eclipse-temurin:21',
    withTools,
    /^(?:java|(?:\.\/)?gradlew|(?:\.\/)?mvnw)$/,
    ['pom.xml', 'build.gradle', 'build.gradle.kts'],
  ],
] as const

/** Guesses the image for a command by its program, else by the files in its folder. */
export async function guessRuntime(command: string, folder: string): Promise<Runtime> {
  const program = programOf(command)
  for (const [image, tools, programs] of runtimes) if (programs.test(program)) return { image, ...tools }
  for (const [image, tools, , files] of runtimes) {
    const found = await Promise.all(files.map(file => exists(join(folder, file))))
    if (found.includes(true)) return { image, ...tools }
  }
  return { image: 'debian:stable', ...withTools }
}

/** Returns the first word of a command that is neither `exec` nor an assignment. */
function programOf(command: string): string {
  const words = command.trim().split(/\s+/)
  const first = words.find(word => word !== 'exec' && word !== 'env' && !/^[A-Za-z_]\w*=/.test(word)) ?? ''
  return first.replace(/^.*\/(?!rails$|gradlew$|mvnw$)/, '')
}

/** Quotes a word for a shell. */
export function quote(word: string): string {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
