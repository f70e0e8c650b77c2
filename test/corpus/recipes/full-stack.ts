import type { Recipe } from '../recipe.ts'

const edit = (file: string) => ({ file, from: 'before the change', to: 'after the change' })
/** The Node that the newest versions need. */
const tools = { node: '^24' }
const react = { react: '^19', 'react-dom': '^19' }
const heading = (name: string) => `export default function ${name}() {\n  return <h1>before the change</h1>\n}\n`
const plugins = (imports: string, list: string) =>
  `import { defineConfig } from 'vite'\n${imports}\nexport default defineConfig({ plugins: [${list}] })\n`

/** Frameworks with a server of their own, in their newest versions. */
export const fullStackRecipes: readonly Recipe[] = [
  {
    name: 'next-16',
    npm: { next: '^16', ...react },
    manifest: { type: undefined },
    scripts: { dev: 'next dev' },
    files: {
      'app/layout.jsx':
        'export default function Layout({ children }) {\n  return <html><body>{children}</body></html>\n}',
      'app/page.jsx': heading('Page'),
    },
    answers: { '': 'before the change' },
    edit: edit('app/page.jsx'),
  },
  {
    name: 'nuxt-4',
    tools,
    npm: { nuxt: '^4', vue: '^3' },
    scripts: { dev: 'nuxt dev' },
    files: {
      'nuxt.config.ts': 'export default defineNuxtConfig({ telemetry: false })',
      'app/app.vue': '<template><h1>before the change</h1></template>',
    },
    answers: { '': 'before the change' },
    edit: edit('app/app.vue'),
  },
  {
    name: 'astro-7',
    tools,
    npm: { astro: '^7' },
    scripts: { dev: 'astro dev' },
    files: {
      'src/pages/index.astro': '<html><head><title>corpus</title></head><body><h1>before the change</h1></body></html>',
    },
    answers: { '': 'before the change' },
    edit: edit('src/pages/index.astro'),
  },
  {
    name: 'sveltekit-3',
    tools,
    npm: { vite: '^8', '@sveltejs/kit': '^3', '@sveltejs/vite-plugin-svelte': '^7', svelte: '^5' },
    scripts: { dev: 'vite dev' },
    files: {
      'vite.config.js': plugins("import { sveltekit } from '@sveltejs/kit/vite'", 'sveltekit()'),
      'src/app.html':
        '<!doctype html><html><head>%sveltekit.head%</head><body><div style="display: contents">%sveltekit.body%</div></body></html>',
      'src/routes/+page.svelte': '<h1>before the change</h1>',
    },
    answers: { '': 'before the change' },
    edit: edit('src/routes/+page.svelte'),
  },
  {
    name: 'react-router-8',
    tools,
    npm: {
      ...{ vite: '^8', '@react-router/dev': '^8', '@react-router/node': '^8', '@react-router/serve': '^8' },
      ...{ 'react-router': '^8', ...react, isbot: '^5' },
    },
    scripts: { dev: 'react-router dev' },
    files: {
      'vite.config.js': plugins("import { reactRouter } from '@react-router/dev/vite'", 'reactRouter()'),
      'react-router.config.js': 'export default { ssr: true }',
      'app/routes.js': "import { index } from '@react-router/dev/routes'\nexport default [index('home.jsx')]",
      'app/home.jsx': heading('Home'),
      'app/root.jsx':
        "import { Outlet, Scripts } from 'react-router'\nexport default function Root() {\n  return <html><head /><body><Outlet /><Scripts /></body></html>\n}",
    },
    answers: { '': 'before the change' },
    edit: edit('app/home.jsx'),
  },
  {
    name: 'remix-2',
    npm: {
      ...{ vite: '^6', '@remix-run/dev': '^2', '@remix-run/node': '^2', '@remix-run/react': '^2' },
      ...{ '@remix-run/serve': '^2', react: '^18', 'react-dom': '^18', isbot: '^4' },
    },
    scripts: { dev: 'remix vite:dev' },
    files: {
      'vite.config.js': plugins("import { vitePlugin as remix } from '@remix-run/dev'", 'remix()'),
      'app/root.jsx':
        "import { Outlet, Scripts } from '@remix-run/react'\nexport default function Root() {\n  return <html><head /><body><Outlet /><Scripts /></body></html>\n}",
      'app/routes/_index.jsx': heading('Index'),
    },
    answers: { '': 'before the change' },
    edit: edit('app/routes/_index.jsx'),
  },
  {
    name: 'tanstack-start',
    tools,
    npm: {
      vite: '^8',
      '@tanstack/react-start': '^1',
      '@tanstack/react-router': '^1',
      '@vitejs/plugin-react': '^6',
      ...react,
    },
    scripts: { dev: 'vite dev' },
    files: {
      'vite.config.js': plugins(
        "import { tanstackStart } from '@tanstack/react-start/plugin/vite'\nimport react from '@vitejs/plugin-react'",
        'tanstackStart(), react()',
      ),
      'src/router.jsx':
        "import { createRouter } from '@tanstack/react-router'\nimport { routeTree } from './routeTree.gen'\nexport const getRouter = () => createRouter({ routeTree })\n",
      'src/routes/__root.jsx':
        "import { createRootRoute, HeadContent, Outlet, Scripts } from '@tanstack/react-router'\nexport const Route = createRootRoute({ component: Root })\nfunction Root() {\n  return <html><head><HeadContent /></head><body><Outlet /><Scripts /></body></html>\n}\n",
      'src/routes/index.jsx':
        "import { createFileRoute } from '@tanstack/react-router'\nexport const Route = createFileRoute('/')({ component: Home })\nfunction Home() {\n  return <h1>before the change</h1>\n}\n",
    },
    answers: { '': 'before the change' },
    edit: edit('src/routes/index.jsx'),
  },
  {
    name: 'waku',
    npm: { waku: '~0.27', react: '~19.2', 'react-dom': '~19.2', 'react-server-dom-webpack': '~19.2' },
    scripts: { dev: 'waku dev' },
    files: { 'src/pages/index.jsx': `${heading('Home')}export const getConfig = () => ({ render: 'dynamic' })\n` },
    answers: { '': 'before the change' },
    edit: edit('src/pages/index.jsx'),
  },
  {
    name: 'hono-vite',
    npm: { vite: '^7', hono: '^4', '@hono/vite-dev-server': '^0.26' },
    scripts: { dev: 'vite' },
    files: {
      'vite.config.js': plugins("import server from '@hono/vite-dev-server'", "server({ entry: 'src/index.js' })"),
      'src/index.js':
        "import { Hono } from 'hono'\nconst app = new Hono()\napp.get('/', c => c.html('<html><body><h1>before the change</h1></body></html>'))\nexport default app\n",
    },
    answers: { '': 'before the change' },
  },
  {
    name: 'vike',
    npm: { vite: '^7', vike: '^0.4', 'vike-react': '^0.6', '@vitejs/plugin-react': '^5', ...react },
    scripts: { dev: 'vike dev' },
    files: {
      'vite.config.js': plugins(
        "import vike from 'vike/plugin'\nimport react from '@vitejs/plugin-react'",
        'vike(), react()',
      ),
      'pages/+config.js': "import vikeReact from 'vike-react/config'\nexport default { extends: [vikeReact] }\n",
      'pages/index/+Page.jsx': heading('Page'),
    },
    answers: { '': 'before the change' },
    edit: edit('pages/index/+Page.jsx'),
  },
]
