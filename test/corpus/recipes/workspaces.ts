import type { Recipe } from '../recipe.ts'

const server =
  "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('the API answers')).listen(process.env.PORT ?? 3001)"
const manifest = (name: string, dev: string, rest: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ name, version: '1.0.0', private: true, type: 'module', scripts: { dev }, ...rest })
const packages = {
  'apps/web/package.json': manifest('@corpus/web', 'vite', {
    dependencies: { '@corpus/text': '*' },
    devDependencies: { vite: '^8' },
  }),
  'apps/web/index.html': '<!doctype html><div id="app"></div><script type="module" src="/main.js"></script>',
  'apps/web/main.js': "import { text } from '@corpus/text'\ndocument.querySelector('#app').textContent = text",
  'apps/api/package.json': manifest('@corpus/api', 'node --watch server.js'),
  'apps/api/server.js': server,
  'packages/text/package.json': '{ "name": "@corpus/text", "version": "1.0.0", "type": "module", "main": "index.js" }',
  'packages/text/index.js': "export const text = 'before the change'",
}
/** A package that another one uses by a link. */
const change = {
  answers: { '': '/@vite/client', api: 'the API answers' },
  edit: { file: 'packages/text/index.js', from: 'before the change', to: 'after the change' },
}
const root = (packageManager: string, rest: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ private: true, packageManager, workspaces: ['apps/*', 'packages/*'], ...rest })
const ofPnpm = (text: string) => text.replaceAll('"@corpus/text":"*"', '"@corpus/text":"workspace:*"')

/** Workspaces, installed by their own package manager. */
export const workspaceRecipes: readonly Recipe[] = [
  {
    name: 'npm-workspaces',
    files: {
      ...packages,
      'package.json': root('npm@10.9.0', { scripts: { dev: 'npm run dev --workspaces --if-present' } }),
    },
    prepare: 'npm install --no-audit --no-fund',
    ...change,
  },
  {
    name: 'pnpm-workspace',
    tools: { pnpm: '^10' },
    files: {
      ...packages,
      'apps/web/package.json': ofPnpm(packages['apps/web/package.json']),
      'pnpm-workspace.yaml': 'packages:\n  - apps/*\n  - packages/*\n',
      'package.json': '{ "private": true, "scripts": { "dev": "pnpm -r --parallel dev" } }',
    },
    prepare: 'pnpm install',
    ...change,
  },
  {
    name: 'yarn-classic-workspace',
    tools: { yarn: '^1' },
    files: {
      ...packages,
      'yarn.lock': '# yarn lockfile v1\n',
      'package.json': root('yarn@1.22.22', { scripts: { dev: 'yarn workspaces run dev' } }),
    },
    prepare: 'yarn install --non-interactive',
    ...change,
  },
  {
    // With Plug'n'Play: there is no node_modules.
    name: 'yarn-berry-workspace',
    tools: { '@yarnpkg/cli-dist': '^4' },
    files: {
      ...packages,
      'apps/web/package.json': ofPnpm(packages['apps/web/package.json']),
      'yarn.lock': '',
      'package.json': root('yarn@4.18.1', { scripts: { dev: 'yarn workspaces foreach -A -pi run dev' } }),
    },
    prepare: 'YARN_ENABLE_TELEMETRY=0 yarn install',
    ...change,
  },
  {
    name: 'bun-workspace',
    tools: { bun: '^1' },
    files: {
      ...packages,
      'apps/web/package.json': ofPnpm(packages['apps/web/package.json']),
      'package.json': root('bun@1.4.5', { scripts: { dev: "bun run --filter '*' dev" } }),
    },
    prepare: 'bun install',
    ...change,
  },
  {
    name: 'turborepo',
    tools: { pnpm: '10.34.8' },
    files: {
      ...packages,
      'apps/web/package.json': ofPnpm(packages['apps/web/package.json']),
      'pnpm-workspace.yaml': 'packages:\n  - apps/*\n  - packages/*\n',
      'turbo.json': '{ "tasks": { "dev": { "cache": false, "persistent": true } } }',
      'package.json':
        '{ "private": true, "packageManager": "pnpm@10.34.8", "scripts": { "dev": "turbo run dev" }, "devDependencies": { "turbo": "^2" } }',
    },
    prepare: 'pnpm install',
    ...change,
  },
]
