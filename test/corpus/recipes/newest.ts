import type { Recipe } from '../recipe.ts'
import { angularApplication, nestApplication } from './applications.ts'

const edit = (file: string) => ({ file, from: 'before the change', to: 'after the change' })
/** The Node that the newest versions need. */
const tools = { node: '^24' }
const react = { react: '^19', 'react-dom': '^19' }

/** Tools in their newest versions, of sites, components and servers. */
export const newestRecipes: readonly Recipe[] = [
  {
    name: 'angular-22',
    tools,
    npm: {
      ...{ '@angular/cli': '^22', '@angular/build': '^22', '@angular/core': '^22', '@angular/common': '^22' },
      ...{ '@angular/compiler': '^22', '@angular/compiler-cli': '^22', '@angular/platform-browser': '^22' },
      ...{ rxjs: '^7', typescript: '~6.0', tslib: '^2' },
    },
    scripts: { start: 'ng serve' },
    files: angularApplication({}),
    answers: { '': 'app-root' },
    edit: edit('src/main.ts'),
  },
  {
    name: 'storybook-10',
    tools,
    npm: { storybook: '^10', '@storybook/html-vite': '^10', vite: '^8' },
    scripts: { start: 'storybook dev' },
    files: {
      '.storybook/main.js':
        "export default { framework: '@storybook/html-vite', stories: ['../src/*.stories.js'], core: { disableTelemetry: true } }",
      'src/page.stories.js':
        "export default { title: 'Page' }\nexport const Plain = { render: () => '<h1>a story</h1>' }",
    },
    answers: { '': 'storybook' },
  },
  {
    name: 'nest-12',
    npm: {
      ...{ '@nestjs/core': '^12', '@nestjs/common': '^12', '@nestjs/platform-express': '^12' },
      ...{ '@nestjs/cli': '^12', 'reflect-metadata': '^0.2', rxjs: '^7', typescript: '^5', '@types/node': '^22' },
    },
    manifest: { type: 'commonjs' },
    scripts: { 'start:dev': 'nest start --watch', start: 'nest start' },
    files: nestApplication({ module: 'nodenext', types: ['node'] }),
    answers: { '': 'nest answers' },
  },
  {
    name: 'rspress',
    npm: { '@rspress/core': '^2', ...react },
    scripts: { dev: 'rspress dev' },
    files: {
      'rspress.config.ts':
        "import { defineConfig } from '@rspress/core'\nexport default defineConfig({ root: 'docs' })\n",
      'docs/index.md': '# before the change\n',
    },
    answers: { '': '<script' },
    edit: edit('docs/index.md'),
  },
  {
    name: 'ladle',
    npm: { '@ladle/react': '^5', ...react },
    scripts: { dev: 'ladle serve' },
    files: {
      'vite.config.js': "export default { server: { hmr: { protocol: 'ws' } } }\n",
      'src/page.stories.jsx': 'export const Page = () => <h1>before the change</h1>\n',
    },
    answers: { '': '/@vite/client' },
    edit: edit('src/page.stories.jsx'),
  },
  {
    name: 'solid-start-1',
    npm: { '@solidjs/start': '^1.2', '@solidjs/router': '^0.15', 'solid-js': '^1.9', vinxi: '^0.5' },
    scripts: { dev: 'vinxi dev' },
    files: {
      'app.config.ts':
        "import { defineConfig } from '@solidjs/start/config'\nexport default defineConfig({ vite: { server: { hmr: { protocol: 'ws' } } } })\n",
      'src/app.tsx':
        "import { Router } from '@solidjs/router'\nimport { FileRoutes } from '@solidjs/start/router'\nimport { Suspense } from 'solid-js'\nexport default function App() {\n  return <Router root={props => <Suspense>{props.children}</Suspense>}><FileRoutes /></Router>\n}\n",
      'src/entry-client.tsx':
        "import { mount, StartClient } from '@solidjs/start/client'\nmount(() => <StartClient />, document.getElementById('app')!)\n",
      'src/entry-server.tsx':
        'import { createHandler, StartServer } from \'@solidjs/start/server\'\nconst page = ({ assets, children, scripts }) => (\n  <html><head>{assets}</head><body><div id="app">{children}</div>{scripts}</body></html>\n)\nexport default createHandler(() => <StartServer document={page} />)\n',
      'src/routes/index.tsx': 'export default function Home() {\n  return <h1>before the change</h1>\n}\n',
    },
    answers: { '': 'before the change' },
    edit: edit('src/routes/index.tsx'),
  },
  {
    name: 'hexo',
    npm: {
      ...{ hexo: '^8', 'hexo-server': '^3', 'hexo-renderer-marked': '^7', 'hexo-renderer-ejs': '^2' },
      ...{ 'hexo-generator-index': '^4' },
    },
    manifest: { type: undefined, hexo: { version: '8.0.0' } },
    scripts: { start: 'hexo server' },
    files: {
      '_config.yml': 'title: corpus\nurl: http://example.com\ntheme: plain\n',
      'themes/plain/layout/index.ejs': '<html><body><h1>hexo answers</h1></body></html>',
      'source/_posts/one.md': '---\ntitle: one\n---\na post\n',
    },
    answers: { '': 'hexo answers' },
  },
  {
    name: 'expo-web',
    tools,
    npm: { expo: '^58', 'react-native': '*', 'react-native-web': '*', '@expo/metro-runtime': '*', ...react },
    manifest: { type: undefined, main: 'App.js' },
    scripts: { start: 'expo start --offline' },
    files: {
      'app.json':
        '{ "expo": { "name": "corpus", "slug": "corpus", "platforms": ["web"], "web": { "bundler": "metro" } } }',
      'App.js':
        "import { registerRootComponent } from 'expo'\nimport { Text } from 'react-native'\nfunction App() {\n  return <Text>before the change</Text>\n}\nregisterRootComponent(App)\n",
    },
    answers: { '': '<script' },
    edit: edit('App.js'),
  },
  {
    name: 'netlify-dev',
    tools,
    npm: { 'netlify-cli': '^27' },
    scripts: { dev: 'netlify dev --offline --internal-disable-edge-functions' },
    files: {
      'netlify.toml': '[dev]\npublish = "public"\nframework = "#static"\n',
      'public/index.html': '<h1>netlify answers</h1>',
    },
    answers: { '': 'netlify answers' },
  },
  {
    name: 'elysia',
    tools: { bun: '^1' },
    npm: { elysia: '^1', '@sinclair/typebox': '^0.34' },
    scripts: { dev: 'bun run --watch src/index.ts' },
    files: {
      'src/index.ts':
        "import { Elysia } from 'elysia'\nconst app = new Elysia().get('/', () => 'elysia answers').listen(3000)\nconsole.log('http://localhost:' + app.server?.port)\n",
    },
    answers: { '': 'elysia answers' },
  },
]
