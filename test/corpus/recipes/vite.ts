import type { Recipe } from '../recipe.ts'

const script = { dev: 'vite' }
const page =
  '<!doctype html><title>corpus</title><div id="app"></div><script type="module" src="/src/main.js"></script>'
const edit = (file: string) => ({ file, from: 'before the change', to: 'after the change' })

/** Vite and what is made of it. */
export const viteRecipes: readonly Recipe[] = [
  {
    name: 'vite-vanilla',
    isFast: true,
    npm: { vite: '^8' },
    scripts: script,
    files: {
      'index.html': page,
      'src/main.js': "import { text } from './text.js'\ndocument.querySelector('#app').textContent = text",
      'src/text.js': "export const text = 'before the change'",
    },
    answers: { '': '/@vite/client' },
    edit: edit('src/text.js'),
  },
  {
    name: 'vite-react',
    npm: { vite: '^8', '@vitejs/plugin-react': '^6', react: '^19', 'react-dom': '^19' },
    scripts: script,
    files: {
      'vite.config.js':
        "import { defineConfig } from 'vite'\nimport react from '@vitejs/plugin-react'\nexport default defineConfig({ plugins: [react()] })",
      'index.html': page.replace('main.js', 'main.jsx'),
      'src/main.jsx':
        "import { createRoot } from 'react-dom/client'\nimport { App } from './App.jsx'\ncreateRoot(document.getElementById('app')).render(<App />)",
      'src/App.jsx': 'export function App() {\n  return <h1>before the change</h1>\n}',
    },
    answers: { '': '/@vite/client' },
    edit: edit('src/App.jsx'),
  },
  {
    name: 'vite-vue',
    npm: { vite: '^8', '@vitejs/plugin-vue': '^6', vue: '^3' },
    scripts: script,
    files: {
      'vite.config.js':
        "import { defineConfig } from 'vite'\nimport vue from '@vitejs/plugin-vue'\nexport default defineConfig({ plugins: [vue()] })",
      'index.html': page,
      'src/main.js': "import { createApp } from 'vue'\nimport App from './App.vue'\ncreateApp(App).mount('#app')",
      'src/App.vue': '<template><h1>before the change</h1></template>',
    },
    answers: { '': '/@vite/client' },
    edit: edit('src/App.vue'),
  },
  {
    name: 'vite-svelte',
    npm: { vite: '^7', '@sveltejs/vite-plugin-svelte': '^6', svelte: '^5' },
    scripts: script,
    files: {
      'vite.config.js':
        "import { defineConfig } from 'vite'\nimport { svelte } from '@sveltejs/vite-plugin-svelte'\nexport default defineConfig({ plugins: [svelte()] })",
      'index.html': page,
      'src/main.js':
        "import { mount } from 'svelte'\nimport App from './App.svelte'\nmount(App, { target: document.getElementById('app') })",
      'src/App.svelte': '<h1>before the change</h1>',
    },
    answers: { '': '/@vite/client' },
    edit: edit('src/App.svelte'),
  },
  {
    name: 'vite-solid',
    npm: { vite: '^7', 'vite-plugin-solid': '^2', 'solid-js': '^1' },
    scripts: script,
    files: {
      'vite.config.js':
        "import { defineConfig } from 'vite'\nimport solid from 'vite-plugin-solid'\nexport default defineConfig({ plugins: [solid()] })",
      'index.html': page.replace('main.js', 'main.jsx'),
      'src/main.jsx':
        "import { render } from 'solid-js/web'\nimport { App } from './App.jsx'\nrender(() => <App />, document.getElementById('app'))",
      'src/App.jsx': 'export const App = () => <h1>before the change</h1>',
    },
    answers: { '': '/@vite/client' },
    edit: edit('src/App.jsx'),
  },
  {
    name: 'vite-lit',
    npm: { vite: '^8', lit: '^3' },
    scripts: script,
    files: {
      'index.html':
        '<!doctype html><title>corpus</title><my-page></my-page><script type="module" src="/src/page.js"></script>',
      'src/page.js':
        "import { html, LitElement } from 'lit'\ncustomElements.define('my-page', class extends LitElement {\n  render() { return html`<h1>before the change</h1>` }\n})",
    },
    answers: { '': '/@vite/client' },
    edit: edit('src/page.js'),
  },
  {
    name: 'vite-config-port',
    isFast: true,
    npm: { vite: '^8' },
    scripts: { dev: 'NODE_ENV=development vite' },
    files: {
      'vite.config.js': 'export default { server: { port: 3456, strictPort: true } }',
      'index.html': '<!doctype html><h1>before the change</h1>',
    },
    answers: { '': 'before the change' },
    edit: edit('index.html'),
  },
  {
    name: 'vite-own-domain',
    isFast: true,
    domain: 'corpus.test',
    npm: { vite: '^8' },
    scripts: script,
    files: {
      'locald.toml':
        '[project]\nname = "vite-own-domain"\ndomain = "corpus.test"\n[services.web]\ncommand = "npm run dev"\n',
      'index.html': '<!doctype html><h1>before the change</h1>',
    },
    answers: { '': 'before the change', web: 'before the change' },
  },
  {
    name: 'sveltekit',
    npm: { vite: '^7', '@sveltejs/kit': '^2', '@sveltejs/vite-plugin-svelte': '^6', svelte: '^5' },
    scripts: { dev: 'vite dev' },
    files: {
      'vite.config.js':
        "import { sveltekit } from '@sveltejs/kit/vite'\nimport { defineConfig } from 'vite'\nexport default defineConfig({ plugins: [sveltekit()] })",
      'svelte.config.js': 'export default { kit: {} }',
      'src/app.html':
        '<!doctype html><html><head>%sveltekit.head%</head><body><div style="display: contents">%sveltekit.body%</div></body></html>',
      'src/routes/+page.svelte': '<h1>before the change</h1>',
    },
    answers: { '': 'before the change' },
    edit: edit('src/routes/+page.svelte'),
  },
  {
    name: 'react-router',
    npm: {
      ...{ vite: '^7', '@react-router/dev': '^7', '@react-router/node': '^7', '@react-router/serve': '^7' },
      ...{ 'react-router': '^7', react: '^19', 'react-dom': '^19', isbot: '^5' },
    },
    scripts: { dev: 'react-router dev' },
    files: {
      'vite.config.js':
        "import { reactRouter } from '@react-router/dev/vite'\nimport { defineConfig } from 'vite'\nexport default defineConfig({ plugins: [reactRouter()] })",
      'react-router.config.js': 'export default { ssr: true }',
      'app/routes.js': "import { index } from '@react-router/dev/routes'\nexport default [index('home.jsx')]",
      'app/home.jsx': 'export default function Home() {\n  return <h1>before the change</h1>\n}',
      'app/root.jsx':
        "import { Outlet, Scripts } from 'react-router'\nexport default function Root() {\n  return <html><head /><body><Outlet /><Scripts /></body></html>\n}",
    },
    answers: { '': 'before the change' },
    edit: edit('app/home.jsx'),
  },
  {
    name: 'astro',
    npm: { astro: '^5' },
    scripts: { dev: 'astro dev' },
    files: {
      'src/pages/index.astro': '<html><head><title>corpus</title></head><body><h1>before the change</h1></body></html>',
    },
    answers: { '': 'before the change' },
    edit: edit('src/pages/index.astro'),
  },
  {
    name: 'vitepress',
    npm: { vitepress: '^1' },
    scripts: { dev: 'vitepress dev' },
    files: { 'index.md': '# Corpus\n\nbefore the change\n' },
    answers: { '': '/@vite/client' },
    edit: edit('index.md'),
  },
]
