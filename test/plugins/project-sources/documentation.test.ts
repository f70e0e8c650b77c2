import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { detectorsWith } from '../../../plugins/project-sources/index.ts'
import { root } from '../../lib/user.ts'
import { type Files, folderOf, infer } from './folders.ts'

const scripts = '{"scripts":{"dev":"vite"}}'

/** What is in the folder, for each row of the page by its first file. */
const recipes: Readonly<Record<string, Files>> = {
  'Procfile.dev': { 'Procfile.dev': 'web: a\n', Procfile: 'web: b\n' },
  Procfile: { Procfile: 'web: a\n', 'manage.py': 'import django' },
  'manage.py': { 'manage.py': 'import django', 'package.json': scripts },
  'bin/rails': { 'bin/rails': '', 'package.json': scripts },
  artisan: { artisan: '', 'package.json': scripts },
  'mix.exs': { 'mix.exs': ':phoenix', 'pom.xml': 'spring-boot' },
  'pom.xml': { 'pom.xml': 'spring-boot', 'build.gradle': 'spring-boot' },
  'build.gradle': { 'build.gradle': 'spring-boot', 'package.json': scripts },
  'App.csproj': { 'App.csproj': 'Sdk="Microsoft.NET.Sdk.Web"', 'package.json': scripts },
  'pnpm-workspace.yaml': { 'pnpm-workspace.yaml': 'packages: [a]', 'package.json': scripts, 'a/package.json': scripts },
  'package.json with workspaces': { 'package.json': '{"workspaces":["a"]}', 'a/package.json': scripts },
  'package.json': { 'package.json': scripts, 'deno.json': '{"tasks":{"dev":"x"}}' },
  'deno.json': { 'deno.json': '{"tasks":{"dev":"x"}}', 'bun.lock': '', 'index.ts': '' },
  'bun.lock': { 'bun.lock': '', 'index.ts': '', 'package.json': '{}' },
  'main.py': { 'main.py': 'app = FastAPI()', 'app.py': 'import flask' },
  'app.py': { 'app.py': 'import flask', 'config.ru': '' },
  'streamlit_app.py': { 'streamlit_app.py': 'import streamlit', 'config.ru': '' },
  'server.py': { 'server.py': 'serve_forever()', 'config.ru': '' },
  'config.ru': { 'config.ru': '', 'index.php': '' },
  'app.rb': { 'app.rb': "require 'sinatra'", 'index.php': '' },
  'public/index.php': { 'public/index.php': '', 'go.mod': '', 'main.go': 'package main' },
  'go.mod': { 'go.mod': '', 'main.go': 'package main', 'Cargo.toml': '[package]\nname = "x"', 'src/main.rs': '' },
  'Cargo.toml': { 'Cargo.toml': '[package]\nname = "x"', 'src/main.rs': '', 'hugo.toml': '' },
  'hugo.toml': { 'hugo.toml': '', 'mkdocs.yml': '' },
  'mkdocs.yml': { 'mkdocs.yml': '', 'index.html': '' },
  '_config.yml': { '_config.yml': '', Gemfile: 'jekyll', 'bin/dev': '' },
  'bin/dev': { 'bin/dev': '', Makefile: 'dev:' },
  Makefile: { Makefile: 'dev:', justfile: 'dev:' },
  justfile: { justfile: 'dev:', 'Taskfile.yml': '' },
  'Taskfile.yml': { 'Taskfile.yml': 'tasks:\n  dev:\n', 'server.js': 'x.listen(1)' },
  'server.js': { 'server.js': 'x.listen(1)', 'frontend/package.json': scripts },
  frontend: { 'frontend/package.json': scripts, 'index.html': '' },
  'compose.yaml': { 'compose.yaml': 'services: { web: { image: nginx } }', 'index.html': '' },
  'index.html': { 'index.html': '', Dockerfile: '' },
}

/** The rows of the page: words in code of the first column, the row's key, and its command. */
const rows = readFileSync(join(root, 'docs/projects-without-a-file.md'), 'utf8')
  .split('\n')
  .filter(line => /^\| `/.test(line))
  .map(line => {
    const [, place = '', , command = ''] = line.split('|').map(cell => cell.trim())
    const files = [...place.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)
    const key = files[1] === 'workspaces' ? 'package.json with workspaces' : (files[0] ?? '')
    return { key, files, command: /^`([^`]+)`/.exec(command)?.[1] }
  })

t.test('each row of the page is what is inferred, in its order', async t => {
  t.strictSame(
    rows.map(({ key }) => key),
    Object.keys(recipes),
  )
  for (const { key, command } of rows) {
    const { file, services } = await infer(folderOf(t, recipes[key] ?? {}))
    t.equal(
      file,
      key
        .replace(/ .*/, '')
        .replace('bun.lock', 'index.ts')
        .replace(/^frontend$/, '$&/package.json'),
    )
    const [first] = Object.values(services)
    if (command !== undefined) t.equal(first?.['command'], command, key)
  }
})

t.test('each file that describes a project is on the page', async t => {
  const documented = rows.flatMap(({ files }) => files)
  for (const detector of detectorsWith(() => true)) {
    const [first = ''] = detector.files
    const found = await infer(folderOf(t, recipes[first] ?? { [first]: '' })).catch(() => undefined)
    if (found !== undefined) t.ok(documented.includes(found.file.replace(/^frontend\/.*/, 'frontend')), found.file)
  }
})
