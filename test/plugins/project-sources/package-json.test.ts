import t from 'tap'
import { type Files, failureOf, folderOf, infer, lines } from './folders.ts'

function withScripts(scripts: unknown, more: Files = {}): Files {
  return { 'package.json': JSON.stringify({ scripts }), ...more }
}

t.test('runs the first script that serves, by the manager of the package', async t => {
  const cases: readonly (readonly [Files, string])[] = [
    [withScripts({ serve: 'd', start: 'c', 'start:dev': 'b', dev: 'a' }), 'web: npm run dev'],
    [withScripts({ start: 'strapi start', develop: 'strapi develop' }), 'web: npm run develop'],
    [withScripts({ 'docs:build': 'vuepress build', 'docs:dev': 'vuepress dev docs' }), 'web: npm run docs:dev'],
    [withScripts({ start: 'stencil build --dev --watch --serve' }), 'web: npm run start'],
    [withScripts({ serve: 'd', start: 'c', 'start:dev': 'b' }), 'web: npm run start:dev'],
    [withScripts({ serve: 'd', start: 'c' }), 'web: npm run start'],
    [withScripts({ serve: 'd' }, { 'pnpm-lock.yaml': '' }), 'web: pnpm run serve'],
    [withScripts({ dev: 'tsc --watch', start: 'node .' }, { 'yarn.lock': '' }), 'web: yarn run start'],
    [withScripts({ dev: 'tsup --watch --onSuccess "node dist"' }, { 'bun.lock': '' }), 'web: bun run dev'],
    [withScripts({ dev: 'npm run build', build: 'rimraf dist && tsc', start: 'x' }), 'web: npm run start'],
    [withScripts({ dev: 'npm run dev' }), 'web: npm run dev'],
    [withScripts({ dev: 'vite build --watch', serve: 'vite' }), 'web: npm run serve'],
  ]
  for (const [files, line] of cases) t.strictSame(lines(await infer(folderOf(t, files))), [line])
})

t.test('says why a package.json does not describe a project', async t => {
  const reason = async (text: string) => (await failureOf(folderOf(t, { 'package.json': text }))).message
  for (const text of ['{}', '[]', 'null', '{"scripts":[]}', '{"scripts":{"test":"x","dev":1,"start":" "}}'])
    t.match(await reason(text), /; package\.json has no script `dev`, `develop`, `start:dev`, `start`, `serve`$/)
  t.match(await reason('{"scripts":{"dev":"tsc -w"}}'), /; script `dev` of package\.json only builds$/)
  t.equal(await reason('{\n  "canary": canary\n}'), 'package.json:2: is not valid JSON')
  t.match(
    await reason('{"packageManager":"nope@1","scripts":{"dev":"x"}}'),
    /^package\.json: unsupported packageManager/,
  )
})

t.test('notes a compose file beside what runs', async t => {
  const compose = { 'docker-compose.yml': 'services: {}\n', '.env': '' }
  const [note = '', ...others] = (await infer(folderOf(t, withScripts({ dev: 'a' }, compose)))).notes
  t.match(note, /^docker-compose\.yml is not used: line 1: no services$/)
  t.strictSame(others, [])
  t.match((await infer(folderOf(t, { Procfile: 'web: a', ...compose }))).notes, [/^docker-compose\.yml/])
  t.strictSame((await infer(folderOf(t, withScripts({ dev: 'a' })))).notes, [])
})

t.test('a script that starts locald is no service: it would wait for itself', async t => {
  const scripts = { dev: 'npm run up', up: 'NODE_ENV=dev npx locald up && echo done', start: 'node .' }
  t.strictSame(lines(await infer(folderOf(t, withScripts(scripts)))), ['web: npm run start'])
  const { message } = await failureOf(folderOf(t, withScripts({ dev: 'locald up' })))
  t.match(message, /script `dev` of package\.json starts locald$/)
  const rails = { 'bin/rails': '', ...withScripts({ dev: 'locald up' }) }
  t.strictSame(Object.keys((await infer(folderOf(t, rails))).services), ['web'])
  const packages = { 'a/package.json': '{"scripts": {"dev": "vite"}}' }
  const root = JSON.stringify({ workspaces: ['a'], scripts: { dev: 'locald up' } })
  t.strictSame(lines(await infer(folderOf(t, { 'package.json': root, ...packages }))), ['a (in a): npm run dev'])
})

t.test('a script that runs several at once is one service for its pages, and workers for the others', async t => {
  const one = { client: 'vite', server: 'node server.js', 'dev:web': 'next dev', 'dev:api': 'node api.js' }
  const cases: readonly (readonly [dev: string, ...services: string[]])[] = [
    ['concurrently "npm:server" "npm:client"', 'web: npm run client', 'server (worker): npm run server'],
    ['concurrently -k -n s,c -c red,blue "npm run server" "vite"', 'web: npx vite', 's (worker): npm run server'],
    ['run-p dev:*', 'web: npm run dev:web', 'api (worker): npm run dev:api'],
    ['npm-run-all -p client server', 'web: npm run client', 'server (worker): npm run server'],
    [
      'concurrently "npm run dev --prefix back" "cd front && npm run dev"',
      'web (in front): npm run dev',
      'back (worker, in back): npm run dev',
    ],
    ['concurrently vite "node --watch src/jobs.js"', 'web: npx vite', 'jobs (worker): node --watch src/jobs.js'],
    ['concurrently vite "node index.js"', 'web: npx vite', 'node (worker): node index.js'],
    ['concurrently "npm:server" "npm:dev:api"', 'web: npm run dev'],
    ['concurrently "npm:server" "$X"', 'web: npm run dev'],
    ['npm-run-all server client', 'web: npm run dev'],
    ['concurrently "npm:server" "npm:client" && echo x', 'web: npm run dev'],
  ]
  for (const [dev, ...services] of cases) {
    const files = {
      'package.json': JSON.stringify({ scripts: { ...one, dev } }),
      'front/package.json': '{"scripts":{"dev":"vite"}}',
      'back/package.json': '{"scripts":{"dev":"node ."}}',
    }
    t.strictSame(lines(await infer(folderOf(t, files))), services, dev)
  }
})
