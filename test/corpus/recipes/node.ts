import type { Recipe } from '../recipe.ts'
import { nestApplication } from './applications.ts'

const start = { start: 'node server.js' }

/** Servers for Node. */
export const nodeRecipes: readonly Recipe[] = [
  {
    name: 'node-http',
    isFast: true,
    scripts: start,
    files: {
      'server.js':
        "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('node answers')).listen(process.env.PORT)",
    },
    answers: { '': 'node answers' },
  },
  {
    name: 'node-hard-port',
    isFast: true,
    scripts: start,
    files: {
      'server.js':
        "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('at 18732')).listen(18732, () => console.log('http://localhost:18732'))",
    },
    answers: { '': 'at 18732' },
  },
  {
    name: 'express',
    isFast: true,
    npm: { express: '^5' },
    scripts: start,
    files: {
      'server.js':
        "import express from 'express'\nexpress().get('/', (_, response) => response.send('express answers')).listen(process.env.PORT ?? 3000)",
    },
    answers: { '': 'express answers' },
  },
  {
    name: 'express-watched',
    npm: { express: '^4', nodemon: '^3' },
    scripts: { dev: 'nodemon server.js', start: 'node server.js' },
    files: {
      'server.js':
        "import express from 'express'\nexpress().get('/', (_, response) => response.send('express 4 answers')).listen(3000)",
    },
    answers: { '': 'express 4 answers' },
  },
  {
    name: 'fastify',
    npm: { fastify: '^5' },
    scripts: start,
    files: {
      'server.js':
        "import Fastify from 'fastify'\nconst server = Fastify()\nserver.get('/', async () => 'fastify answers')\nawait server.listen({ port: Number(process.env.PORT) })",
    },
    answers: { '': 'fastify answers' },
  },
  {
    name: 'koa',
    npm: { koa: '^3' },
    scripts: start,
    files: {
      'server.js':
        "import Koa from 'koa'\nconst app = new Koa()\napp.use(context => { context.body = 'koa answers' })\napp.listen(process.env.PORT ?? 3000)",
    },
    answers: { '': 'koa answers' },
  },
  {
    name: 'hono-hard-port',
    npm: { hono: '^4', '@hono/node-server': '^1', tsx: '^4' },
    scripts: { dev: 'tsx watch src/index.ts' },
    files: {
      'src/index.ts':
        "import { serve } from '@hono/node-server'\nimport { Hono } from 'hono'\nconst app = new Hono()\napp.get('/', c => c.text('hono answers'))\nserve({ fetch: app.fetch, port: 3000 }, info => console.log('http://localhost:' + info.port))",
    },
    answers: { '': 'hono answers' },
  },
  {
    name: 'nest',
    npm: {
      ...{ '@nestjs/core': '^11', '@nestjs/common': '^11', '@nestjs/platform-express': '^11' },
      ...{ '@nestjs/cli': '^11', 'reflect-metadata': '^0.2', rxjs: '^7', typescript: '^5' },
    },
    manifest: { type: 'commonjs' },
    scripts: { 'start:dev': 'nest start --watch', start: 'nest start' },
    files: nestApplication({ module: 'commonjs' }),
    answers: { '': 'nest answers' },
  },
  {
    name: 'json-server',
    npm: { 'json-server': '^0.17' },
    scripts: { start: 'json-server --watch db.json' },
    files: { 'db.json': '{ "posts": [{ "id": 1, "title": "json-server answers" }] }' },
    answers: { '': 'JSON Server' },
  },
  {
    name: 'http-server',
    npm: { 'http-server': '^14' },
    scripts: { start: 'http-server public' },
    files: { 'public/index.html': '<h1>http-server answers</h1>' },
    answers: { '': 'http-server answers' },
  },
  {
    name: 'serve',
    npm: { serve: '^14' },
    scripts: { start: 'serve public' },
    files: { 'public/index.html': '<h1>serve answers</h1>' },
    answers: { '': 'serve answers' },
  },
  {
    name: 'procfile',
    isFast: true,
    files: {
      Procfile: 'web: node server.js\njob: node -e "setInterval(() => {}, 1000)"\n',
      'server.js':
        "require('node:http').createServer((_, response) => response.end('procfile answers')).listen(process.env.PORT)",
    },
    answers: { '': 'procfile answers' },
  },
  {
    name: 'concurrently',
    npm: { vite: '^8', concurrently: '^9' },
    scripts: { dev: 'concurrently "npm:server" "npm:client"', server: 'node server.js', client: 'vite' },
    files: {
      'vite.config.js': "export default { server: { proxy: { '/api': 'http://localhost:18735' } } }",
      'index.html': '<!doctype html><h1>before the change</h1>',
      'server.js':
        "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('the API answers')).listen(process.env.PORT ?? 18735)",
    },
    answers: { '': 'before the change' },
    edit: { file: 'index.html', from: 'before the change', to: 'after the change' },
  },
  {
    name: 'two-servers-in-one',
    isFast: true,
    scripts: { dev: 'node server.js' },
    files: {
      'server.js': `import { createServer } from 'node:http'
const serve = (port, type, text) =>
  createServer((_, response) => response.setHeader('content-type', type).end(text))
    .listen(port, () => console.log('http://localhost:' + port))
serve(18736, 'application/json', '{}')
serve(18737, 'text/html', '<h1>the page answers</h1>')
`,
    },
    answers: { '': 'the page answers' },
  },
  {
    name: 'browser-sync',
    npm: { 'browser-sync': '^3' },
    scripts: { dev: "browser-sync start --server --files '*.html'" },
    files: { 'index.html': '<!doctype html><html><body><h1>before the change</h1></body></html>' },
    answers: { '': 'before the change' },
    edit: { file: 'index.html', from: 'before the change', to: 'after the change' },
  },
  {
    name: 'workspaces',
    npm: { vite: '^8' },
    manifest: { workspaces: ['apps/*'] },
    files: {
      'apps/web/package.json': '{ "name": "web", "type": "module", "scripts": { "dev": "vite" } }',
      'apps/web/index.html': '<!doctype html><h1>before the change</h1>',
      'apps/api/package.json': '{ "name": "api", "type": "module", "scripts": { "dev": "node server.js" } }',
      'apps/api/server.js':
        "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('the API answers')).listen(process.env.PORT)",
    },
    answers: { '': 'before the change', api: 'the API answers' },
    edit: { file: 'apps/web/index.html', from: 'before the change', to: 'after the change' },
  },
  {
    name: 'bun',
    npm: { bun: '^1' },
    prepare: 'node node_modules/bun/install.js',
    scripts: { dev: 'bun --watch server.ts' },
    files: { 'server.ts': "Bun.serve({ port: 3000, fetch: () => new Response('bun answers') })" },
    answers: { '': 'bun answers' },
  },
  {
    name: 'deno',
    npm: { deno: '^2' },
    scripts: { dev: 'deno run -A server.ts' },
    files: { 'server.ts': "Deno.serve(() => new Response('deno answers'))" },
    answers: { '': 'deno answers' },
  },
]
