import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { explain } from '../../../../kernel/services/failure/failure.ts'

const top = mkdtempSync(join(tmpdir(), 'locald-failure-'))
t.teardown(() => rmSync(top, { recursive: true, force: true }))
let count = 0

/**
 * Returns the explanation for the output of a run in a folder with these files; a name that ends with `/` is a folder.
 */
async function said(files: Readonly<Record<string, string>>, line: string, code: number): Promise<string | undefined> {
  const dir = join(top, String(++count))
  mkdirSync(dir)
  for (const [name, text] of Object.entries(files)) {
    if (name.endsWith('/')) mkdirSync(join(dir, name))
    else writeFileSync(join(dir, name), text)
  }
  const text = await explain({ lines: [line], code, runs: false, dir, root: dir, holder: async () => 'node (pid 7)' })
  return text?.replaceAll(dir, 'DIR')
}

t.test('suggests the command that installs a missing program', async t => {
  const missing = 'sh: 1: vite: not found'
  const install = (command: string) => `command not found: vite (node_modules is missing: run \`${command}\` in DIR)`
  t.equal(await said({}, missing, 127), 'command not found: vite')
  t.equal(await said({ 'package.json': '{}' }, missing, 127), install('npm install'))
  t.equal(await said({ 'package.json': '{}', 'yarn.lock': '' }, missing, 127), install('yarn install'))
  const named = '{ "packageManager": "pnpm@9.1.0+sha512.abc" }'
  t.equal(await said({ 'package.json': named, 'package-lock.json': '' }, missing, 127), install('pnpm install'))
  const listed = { 'package.json': '{ "devDependencies": { "vite": "^7" } }', 'node_modules/': '' }
  t.match(
    await said(listed, missing, 127),
    /\(package\.json names it, and it is not installed: run `npm install` in DIR\)$/,
  )
})

t.test('suggests how to install a missing package manager', async t => {
  const text = await said({ 'package.json': '{ "packageManager": "pnpm@9" }' }, 'sh: 1: pnpm: not found', 127)
  t.equal(text, 'command not found: pnpm (run `npm install -g pnpm`)')
})

t.test('suggests the command that installs a missing module of Python', async t => {
  const run = async (files: Readonly<Record<string, string>>, line: string) =>
    /\(run `(.+)` in DIR\)$/.exec((await said(files, line, 1)) ?? '')?.[1]
  const flask = "ModuleNotFoundError: No module named 'flask.views'"
  const environment = { '.venv/': '', '.venv/bin/': '', '.venv/bin/python': '' }
  const list = { 'requirements.txt': 'Flask==3\n' }
  t.equal(await run(list, flask), 'python3 -m venv .venv && .venv/bin/pip install -r requirements.txt')
  t.equal(await run({ ...list, 'locald.toml': '' }, flask), 'python3 -m pip install -r requirements.txt')
  t.equal(
    await run({ ...list, ...environment, '.venv/bin/pip': '' }, flask),
    '.venv/bin/pip install -r requirements.txt',
  )
  t.equal(await run({ ...list, ...environment }, flask), 'uv pip install -r requirements.txt')
  t.equal(await run({ 'uv.lock': '', ...list }, flask), 'uv sync')
  t.equal(await run({ 'poetry.lock': '' }, flask), 'poetry install')
  const uvicorn = '/usr/bin/python3: No module named uvicorn'
  t.equal(
    await run({ 'requirements.txt': 'fastapi\n' }, uvicorn),
    'python3 -m venv .venv && .venv/bin/pip install uvicorn',
  )
  t.equal(
    await run({ 'pyproject.toml': 'dependencies = ["uvicorn>=0.3"]', ...environment }, uvicorn),
    'uv pip install -e .',
  )
  t.equal(await run({}, "ModuleNotFoundError: No module named 'yaml'"), undefined)
  t.equal(await run({ ...list, 'shop/': '' }, "ModuleNotFoundError: No module named 'shop.urls'"), undefined)
})

t.test('names the process that uses the port', async t => {
  const line = 'Error: listen EADDRINUSE: address already in use 127.0.0.1:3000'
  t.equal(await said({}, line, 1), `${line} (port 3000 is in use by node (pid 7))`)
})
