import { chmodSync, existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import t from 'tap'
import { type Files, failureOf, folderOf, infer, lines } from './folders.ts'

const djangoFile = 'import os\nfrom django.core.management import execute_from_command_line\n'
const fastapiFile = 'from fastapi import FastAPI\n\napi: FastAPI = FastAPI(title="x")\n'
const flaskFile = 'from flask import Flask\napp = Flask(__name__)\n'
const main = 'package main\n\nfunc main() {}\n'
const crate = '[package]\nname = "shop"\n'

/** Files of a project, the one that is named, and its services. */
const cases: readonly (readonly [files: Files, file: string, ...services: string[]])[] = [
  [{ 'manage.py': djangoFile }, 'manage.py', 'web: python3 manage.py runserver 127.0.0.1:$PORT'],
  [
    { 'manage.py': djangoFile, '.venv/bin/python': '', 'uv.lock': '', 'package.json': '{"scripts":{"dev":"vite"}}' },
    'manage.py',
    'web: .venv/bin/python manage.py runserver 127.0.0.1:$PORT',
    'assets: npm run dev',
  ],
  [{ 'manage.py': djangoFile, 'uv.lock': '' }, 'manage.py', 'web: uv run python manage.py runserver 127.0.0.1:$PORT'],
  [
    { 'manage.py': djangoFile, 'poetry.lock': '', 'package.json': '{"scripts":{"dev":"tailwindcss --watch"}}' },
    'manage.py',
    'web: poetry run python manage.py runserver 127.0.0.1:$PORT',
    'assets (worker): npm run dev',
  ],
  [
    { 'app.py': flaskFile, 'venv/bin/python': '' },
    'app.py',
    'web: venv/bin/python -m flask --app app run --debug --port $PORT',
  ],
  [{ 'wsgi.py': 'import flask\n' }, 'wsgi.py', 'web: python3 -m flask --app wsgi run --debug --port $PORT'],
  [{ 'app/__init__.py': flaskFile }, 'app/__init__.py', 'web: python3 -m flask --app app run --debug --port $PORT'],
  [{ 'main.py': fastapiFile }, 'main.py', 'web: python3 -m uvicorn main:api --reload --port $PORT'],
  [
    { 'app/main.py': fastapiFile, '.venv/bin/python': '', '.venv/lib/python3.12/site-packages/fastapi_cli/x': '' },
    'app/main.py',
    'web: .venv/bin/python -m fastapi dev app/main.py --port $PORT',
  ],
  [
    { 'app.py': 'import fastapi\napp = fastapi.FastAPI()\n', 'uv.lock': 'name = "fastapi-cli"\n' },
    'app.py',
    'web: uv run python -m fastapi dev app.py --port $PORT',
  ],
  [{ 'bin/rails': '', 'config.ru': '', 'package.json': '{}' }, 'bin/rails', 'web: bin/rails server -p $PORT'],
  [{ 'config.ru': '', Gemfile: '' }, 'config.ru', 'web: bundle exec rackup --host 127.0.0.1 --port $PORT'],
  [{ 'app.rb': "require 'sinatra'\n" }, 'app.rb', 'web: ruby app.rb -p $PORT'],
  [{ 'go.mod': 'module x\n', 'main.go': main }, 'go.mod', 'web: go run .'],
  [
    { 'go.mod': '', 'a_test.go': main, 'lib.go': 'package lib\n', 'cmd/srv/x.go': main },
    'go.mod',
    'web: go run ./cmd/srv',
  ],
  [{ 'go.mod': '', 'gen.go': `//go:build ignore\n\n${main}`, 'z.go': main }, 'go.mod', 'web: go run .'],
  [{ 'Cargo.toml': crate, 'src/main.rs': '' }, 'Cargo.toml', 'web: cargo run'],
  [
    { 'Cargo.toml': `${crate}[[bin]]\nname = "srv"\npath = "src/main.rs"\n`, 'src/main.rs': '' },
    'Cargo.toml',
    'web: cargo run',
  ],
  [
    { 'Cargo.toml': `${crate}default-run = "a"\n`, 'src/bin/a.rs': '', 'src/bin/b/main.rs': '' },
    'Cargo.toml',
    'web: cargo run',
  ],
  [
    { artisan: '', 'public/index.php': '', 'package.json': '{"scripts":{"dev":"vite"}}' },
    'artisan',
    'web: php artisan serve --port $PORT',
    'assets: npm run dev',
  ],
  [{ 'index.php': '', 'public/index.php': '' }, 'public/index.php', 'web: php -S 127.0.0.1:$PORT -t public'],
  [{ 'index.php': '' }, 'index.php', 'web: php -S 127.0.0.1:$PORT -t .'],
  [{ 'deno.json': '{"tasks":{"start":"x"}}' }, 'deno.json', 'web: deno task start'],
  [{ 'deno.jsonc': '{ // tasks\n"tasks": {"dev": {"command": "x"},},}' }, 'deno.jsonc', 'web: deno task dev'],
  [
    { 'bun.lock': '', 'src/index.ts': '', 'package.json': '{"name":"x"}' },
    'src/index.ts',
    'web: bun --watch src/index.ts',
  ],
  [{ 'app.py': 'import streamlit as st\n' }, 'app.py', 'web: python3 -m streamlit run app.py'],
  [{ 'hugo.toml': '' }, 'hugo.toml', 'web: hugo server'],
  [{ 'config.toml': '', 'layouts/index.html': '' }, 'config.toml', 'web: hugo server'],
  [{ 'config.toml': '', 'index.html': '' }, 'index.html', 'web (site): .'],
  [{ 'mkdocs.yml': '', 'uv.lock': '' }, 'mkdocs.yml', 'web: uv run python -m mkdocs serve'],
  [{ 'package.json': '{}', 'server.js': '' }, 'package.json', 'web: node server.js'],
  [{ 'index.html': '', Dockerfile: '', 'package.json': '{}' }, 'index.html', 'web (site): .'],
  [{ 'public/index.html': '' }, 'public/index.html', 'web (site): public'],
  [{ 'index.html': '', 'package.json': '{"scripts":{"dev":"vite"}}' }, 'package.json', 'web: npm run dev'],
]

for (const [files, file, ...services] of cases)
  t.test(`${Object.keys(files).join(' and ')}: ${services.join(', ')}`, async t => {
    const answer = await infer(folderOf(t, files))
    t.equal(answer.file, file)
    t.strictSame(lines(answer), services)
  })

t.test('a first compilation has time', async t => {
  for (const files of [
    { 'go.mod': '', 'main.go': main },
    { 'Cargo.toml': crate, 'src/main.rs': '' },
  ])
    t.match((await infer(folderOf(t, files))).services['web'], { ready_timeout: 120 })
})

/** What is not enough: the reason, and the service of the example. */
const unsuitable: readonly (readonly [Files, RegExp, string])[] = [
  [
    { 'go.mod': '', 'x.go': 'package x\n' },
    /go\.mod has no main package at its root or in cmd\/$/,
    'go run ./cmd/server',
  ],
  [
    { 'go.mod': '', 'cmd/a/x.go': main, 'cmd/b/x.go': main },
    /several main packages: cmd\/a, cmd\/b$/,
    'go run ./cmd/a',
  ],
  [{ 'Cargo.toml': crate, 'src/lib.rs': '' }, /Cargo\.toml has no binary$/, 'cargo run --bin server'],
  [{ 'Cargo.toml': crate, 'src/bin/a.rs': '', 'src/bin/b.rs': '' }, /several binaries: a, b$/, 'cargo run --bin a'],
  [{ 'Cargo.toml': '[workspace]\n' }, /has no package, only a workspace$/, 'cargo run --bin server'],
  [{ 'manage.py': '' }, /manage\.py does not use Django$/, ''],
  [{ 'app.py': 'import http.server\n' }, /app\.py imports no Flask, FastAPI or Streamlit$/, 'python3 app.py'],
  [{ 'deno.json': '{}' }, /deno\.json has no task `dev` or `start`$/, 'deno run -A main.ts'],
  [{ Makefile: 'all:\nserve: all\n\tx\n' }, /which target of Makefile serves is unknown$/, 'make serve'],
  [{ Makefile: 'x := 1\n' }, /Makefile/, 'make run'],
  [{ Dockerfile: 'FROM x\nexpose 3000/tcp\n' }, /a Dockerfile alone does not name a service$/, '3000'],
]

t.test('what is not enough is named, with a locald.toml that is valid', async t => {
  for (const [files, reason, service] of unsuitable) {
    const { code, message, hint = '' } = await failureOf(folderOf(t, files))
    t.equal(code, 'CONFIG_NOT_FOUND')
    t.match(message, reason)
    if (service === '') continue
    const toml = parse(hint.slice(hint.indexOf('[project]')))
    t.match(toml, { project: { name: 'shop' } })
    t.match(JSON.stringify(toml['services']), service)
  }
})

t.test('a compose file without the plugin of containers is no project', async t => {
  const folder = folderOf(t, { 'docker-compose.yml': 'services: { db: { image: redis } }', Makefile: '' })
  const { message, hint } = await failureOf(folder, ['exec'])
  t.match(message, /; docker-compose\.yml needs containers, and their plugin is off; which target of Makefile/)
  t.match(hint, '`locald plugins list`')
})

t.test('files with errors are reported with their line', async t => {
  const message = async (files: Files) => (await failureOf(folderOf(t, files))).message
  t.equal(await message({ 'Cargo.toml': '[package]\nname = canary\n' }), 'Cargo.toml:2: is not valid TOML')
  t.equal(await message({ 'deno.json': '{\n "tasks": canary }' }), 'deno.json:2: is not valid JSON')
})

t.test('a folder with the name of a file, and a link out of the project, are not read', async t => {
  const folder = folderOf(t, { 'index.html': '', '../outside/main.go': main, 'go.mod': '' })
  for (const name of ['main.py', 'app.py', 'package.json', 'Procfile']) mkdirSync(join(folder, name))
  symlinkSync('../outside', join(folder, 'cmd'))
  t.equal((await infer(folder)).file, 'index.html')
})

t.test('nothing is run to find out', async t => {
  const trap = '#!/bin/sh\ntouch "$(dirname "$0")/../ran" ran\n'
  const files = { 'manage.py': djangoFile, '.venv/bin/python': trap, 'bin/rails': trap, artisan: trap }
  const folder = folderOf(t, files)
  for (const name of ['.venv/bin/python', 'bin/rails', 'artisan']) chmodSync(join(folder, name), 0o755)
  await infer(folder)
  t.notOk(existsSync(join(folder, 'ran')) || existsSync(join(folder, '../ran')))
})
