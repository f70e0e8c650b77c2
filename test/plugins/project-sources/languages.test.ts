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
  [{ 'go.mod': '', 'server/main.go': main }, 'go.mod', 'web: go run ./server'],
  [{ 'go.mod': '', 'cmd/main.go': main }, 'go.mod', 'web: go run ./cmd'],
  [{ 'go.mod': '', 'cmd/a/x.go': main, 'cmd/api/x.go': main }, 'go.mod', 'web: go run ./cmd/api'],
  [
    {
      'Cargo.toml': '[workspace]\nmembers = ["crates/*"]\n',
      'crates/one/Cargo.toml': crate,
      'crates/one/src/main.rs': '',
    },
    'Cargo.toml',
    'web: cargo run --bin shop',
  ],
  [{ 'Cargo.toml': crate, 'src/bin/a.rs': '', 'src/bin/server.rs': '' }, 'Cargo.toml', 'web: cargo run --bin server'],
  [{ 'web/index.php': '' }, 'web/index.php', 'web: php -S 127.0.0.1:$PORT -t web'],
  [{ 'main.rb': "require 'sinatra'\n" }, 'main.rb', 'web: ruby main.rb -p $PORT'],
  [
    { '_config.yml': '', Gemfile: "gem 'jekyll'" },
    '_config.yml',
    'web: bundle exec jekyll serve --host 127.0.0.1 --port $PORT',
  ],
  [{ 'main.ts': 'Deno.serve(x)' }, 'main.ts', 'web: deno run -A --watch main.ts'],
  [{ 'pom.xml': '<a>spring-boot</a>', mvnw: '' }, 'pom.xml', 'web: SERVER_PORT=$PORT ./mvnw spring-boot:run'],
  [{ 'pom.xml': '<a>io.quarkus</a>' }, 'pom.xml', 'web: QUARKUS_HTTP_PORT=$PORT mvn quarkus:dev'],
  [
    { 'build.gradle.kts': 'id("org.springframework.boot")', gradlew: '' },
    'build.gradle.kts',
    'web: SERVER_PORT=$PORT ./gradlew bootRun',
  ],
  [{ 'app/build.gradle': "id 'io.ktor.plugin'", gradlew: '' }, 'app/build.gradle', 'web: ./gradlew run'],
  [
    { 'mix.exs': '{:phoenix, "~> 1.8"}', 'package.json': '{"scripts":{"dev":"vite"}}' },
    'mix.exs',
    'web: mix phx.server',
  ],
  [
    { 'App.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">' },
    'App.csproj',
    'web: dotnet watch run -- --urls http://127.0.0.1:$PORT',
  ],
  [
    {
      'src/Web/Web.csproj': '<Project Sdk="Microsoft.NET.Sdk.Web">',
      'src/Lib/Lib.csproj': '<Project Sdk="Microsoft.NET.Sdk">',
    },
    'src/Web/Web.csproj',
    "web: dotnet watch --project 'src/Web/Web.csproj' run -- --urls http://127.0.0.1:$PORT",
  ],
  [
    { 'app.py': 'from quart import Quart\napp = Quart(__name__)\n' },
    'app.py',
    'web: python3 -m quart --app app:app run --reload --port $PORT',
  ],
  [
    { 'app.py': 'from litestar import Litestar\napi = Litestar([])\n' },
    'app.py',
    'web: python3 -m litestar --app app:api run --reload --port $PORT',
  ],
  [
    { 'main.py': 'from starlette.applications import Starlette\napp = Starlette()\n' },
    'main.py',
    'web: python3 -m uvicorn main:app --reload --port $PORT',
  ],
  [{ 'server.py': 'HTTPServer(a, b).serve_forever()' }, 'server.py', 'web: python3 server.py'],
  [{ 'app.py': 'import gradio as gr\ndemo.launch()\n' }, 'app.py', 'web: GRADIO_SERVER_PORT=$PORT python3 app.py'],
  [{ 'shop/__main__.py': 'web.run_app(app)\n' }, 'shop/__main__.py', 'web: python3 -m shop'],
  [{ 'package.json': '{"main":"./a.js"}', 'a.js': 'x.listen(1)' }, 'package.json', 'web: node a.js'],
  [{ 'index.js': 'x.listen(1)' }, 'index.js', 'web: node index.js'],
  [{ 'bin/dev': '#!/usr/bin/env bash\n' }, 'bin/dev', 'web: bash bin/dev'],
  [{ Makefile: 'all:\n\tcc\nserve: all\n\tx\n', 'app.py': '' }, 'Makefile', 'web: make serve'],
  [
    { Makefile: 'BIN := .venv/bin\nrun:\n\t@$(BIN)/uvicorn app:app --port $(PORT)\n', 'x.c': '' },
    'Makefile',
    'web: make run',
  ],
  [{ Makefile: 'run: install serve-it\ninstall:\n\tnpm ci\nserve-it:\n\tvite\n' }, 'Makefile', 'web: make run'],
  [{ justfile: 'x := "1"\n\ndev:\n  x\n' }, 'justfile', 'web: just dev'],
  [
    { 'Taskfile.yml': 'version: "3"\ntasks:\n  build:\n    cmds: [x]\n  dev:\n    cmds: [x]\n' },
    'Taskfile.yml',
    'web: task dev',
  ],
  [
    { 'backend/app.py': flaskFile, 'frontend/package.json': '{"scripts":{"dev":"vite"}}' },
    'frontend/package.json',
    'web (in frontend): npm run dev',
    'backend (in backend): python3 -m flask --app app run --debug --port $PORT',
  ],
  [{ 'docs/index.html': '' }, 'docs/index.html', 'web (site): docs'],
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
    t.match((await infer(folderOf(t, files))).services['web'], { ready_timeout: 300 })
})

/** What is not enough: the reason, and the service of the example. */
const unsuitable: readonly (readonly [Files, RegExp, string])[] = [
  [
    { 'go.mod': '', 'x.go': 'package x\n' },
    /go\.mod has no main package at its root, in its folders or in cmd\/$/,
    'go run ./cmd/server',
  ],
  [
    { 'go.mod': '', 'cmd/a/x.go': main, 'cmd/b/x.go': main },
    /several main packages: cmd\/a, cmd\/b$/,
    'go run ./cmd/a',
  ],
  [{ 'Cargo.toml': crate, 'src/lib.rs': '' }, /Cargo\.toml has no binary$/, 'cargo run --bin server'],
  [{ 'Cargo.toml': crate, 'src/bin/a.rs': '', 'src/bin/b.rs': '' }, /several binaries: a, b$/, 'cargo run --bin a'],
  [{ 'Cargo.toml': '[workspace]\n' }, /Cargo\.toml has no binary$/, 'cargo run --bin server'],
  [{ 'manage.py': '' }, /manage\.py does not use Django$/, ''],
  [
    { 'app.py': 'import http.server\n' },
    /app\.py neither imports a framework that locald knows nor listens$/,
    'python3 app.py',
  ],
  [{ 'deno.json': '{}' }, /deno\.json has no task `dev` or `start`$/, 'deno run -A main.ts'],
  [{ Makefile: 'dev:\n\t@locald up\n' }, /`dev` of Makefile starts locald/, 'node server.js'],
  [{ Makefile: 'start:\n\tdocker compose up -d\n' }, /`start` of Makefile starts containers/, 'make start'],
  [
    { Makefile: 'dev:\n\tpython3 -m venv .venv\n\t.venv/bin/pip install -e .[dev]\n' },
    /`dev` of Makefile only installs$/,
    'make dev',
  ],
  [
    { 'Taskfile.yml': 'tasks:\n  dev:\n    desc: x\n    cmds:\n      - npm ci\n      - cmd: tsc --watch\n' },
    /`dev` of Taskfile\.yml only builds$/,
    'task dev',
  ],
  // Of a program in C.
  [{ Makefile: 'run: a.out\n\t./a.out\n', 'main.c': '' }, /`run` of Makefile may serve or not$/, 'make run'],
  [{ Makefile: 'start: game\n\t./game\n', 'src/game.cpp': '' }, /`start` of Makefile may serve or not$/, 'make start'],
  [{ justfile: 'run:\n  ./run-tests\n' }, /`run` of justfile may serve or not$/, 'just run'],
  [{ Makefile: 'up:\n\tx\nwatch:\n\tx\nserver: server.o\n' }, /Makefile does not say which command serves$/, 'make up'],
  [{ 'pom.xml': '<a/>' }, /pom\.xml names no framework that locald knows$/, 'mvn compile exec:java'],
  [{ 'pom.xml': 'spring-boot <modules>' }, /pom\.xml has several modules$/, 'mvn -pl server spring-boot:run'],
  [{ 'mix.exs': '' }, /mix\.exs does not use Phoenix$/, 'mix run --no-halt'],
  [{ 'A.csproj': '' }, /A\.csproj is no project of the SDK for the web$/, 'dotnet watch run'],
  [{ 'build.sbt': '' }, /build\.sbt does not say which command serves$/, 'sbt run'],
  [{ 'package.json': '{}', 'app.js': '' }, /package\.json has no script/, 'node app.js'],
  [{ Makefile: 'x := 1\n' }, /Makefile does not say which command serves$/, 'make dev'],
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
  t.match(message, /; docker-compose\.yml needs containers, and their plugin is off; Makefile does not say/)
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
