import type { Recipe } from '../recipe.ts'
import { angularApplication } from './applications.ts'

const edit = (file: string) => ({ file, from: 'before the change', to: 'after the change' })
const script = "document.body.textContent = 'before the change'\n"

/** Bundlers and generators of sites that are not made of Vite, and what is made of them. */
export const bundlerRecipes: readonly Recipe[] = [
  {
    name: 'webpack',
    isFast: true,
    npm: { webpack: '^5', 'webpack-cli': '^6', 'webpack-dev-server': '^5' },
    scripts: { start: 'webpack serve --mode development' },
    manifest: { type: 'commonjs' },
    files: {
      'webpack.config.js': "module.exports = { devServer: { static: 'public' } }",
      'public/index.html': '<!doctype html><body><script src="/main.js"></script>',
      'src/index.js': script,
    },
    answers: { '': 'main.js' },
    edit: edit('src/index.js'),
  },
  {
    name: 'webpack-own-domain',
    domain: 'pack.test',
    npm: { webpack: '^5', 'webpack-cli': '^6', 'webpack-dev-server': '^5' },
    scripts: { start: 'webpack serve --mode development' },
    manifest: { type: 'commonjs' },
    files: {
      'locald.toml':
        '[project]\nname = "webpack-own-domain"\ndomain = "pack.test"\n[services.web]\ncommand = "npm start"\n',
      'webpack.config.js': "module.exports = { devServer: { static: 'public' } }",
      'public/index.html': '<!doctype html><body><script src="/main.js"></script>',
      'src/index.js': script,
    },
    answers: { '': 'main.js', web: 'main.js' },
  },
  {
    name: 'rspack',
    npm: { '@rspack/core': '^1', '@rspack/cli': '^1' },
    scripts: { dev: 'rspack serve' },
    manifest: { type: 'commonjs' },
    files: {
      'rspack.config.js':
        "const { HtmlRspackPlugin } = require('@rspack/core')\nmodule.exports = { mode: 'development', entry: './src/index.js', devServer: { client: { webSocketURL: 'auto://0.0.0.0:0/ws' } }, plugins: [new HtmlRspackPlugin({ scriptLoading: 'blocking', inject: 'body' })] }",
      'src/index.js': script,
    },
    answers: { '': 'main.js' },
    edit: edit('src/index.js'),
  },
  {
    name: 'rsbuild',
    npm: { '@rsbuild/core': '^1' },
    scripts: { dev: 'rsbuild dev' },
    files: { 'src/index.js': script },
    answers: { '': '/static/js/index.js' },
    edit: edit('src/index.js'),
  },
  {
    name: 'parcel',
    npm: { parcel: '^2' },
    manifest: { source: 'src/index.html' },
    scripts: { start: 'parcel' },
    files: {
      'src/index.html': '<!doctype html><body><script type="module" src="index.js"></script>',
      'src/index.js': script,
    },
    answers: { '': '<script' },
    edit: edit('src/index.js'),
  },
  {
    name: 'eleventy',
    npm: { '@11ty/eleventy': '^3' },
    scripts: { start: 'eleventy --serve' },
    files: { 'index.md': '# before the change\n' },
    answers: { '': 'before the change' },
    edit: edit('index.md'),
  },
  {
    name: 'create-react-app',
    npm: { 'react-scripts': '^5', ajv: '^8', react: '^19', 'react-dom': '^19' },
    manifest: { type: undefined, browserslist: ['last 1 chrome version'] },
    scripts: { start: 'react-scripts start' },
    files: {
      'public/index.html': '<!doctype html><body><div id="root"></div>',
      'src/index.js':
        "import { createRoot } from 'react-dom/client'\nimport { App } from './App'\ncreateRoot(document.getElementById('root')).render(<App />)",
      'src/App.js': 'export function App() {\n  return <h1>before the change</h1>\n}',
    },
    answers: { '': 'bundle.js' },
    edit: edit('src/App.js'),
  },
  {
    name: 'vue-cli',
    npm: { '@vue/cli-service': '^5', vue: '^3' },
    manifest: { type: undefined, browserslist: ['last 1 chrome version'] },
    scripts: { serve: 'vue-cli-service serve', start: 'vue-cli-service serve' },
    files: {
      'vue.config.js': "module.exports = { devServer: { client: { webSocketURL: 'auto://0.0.0.0:0/ws' } } }",
      'public/index.html': '<!doctype html><body><div id="app"></div>',
      'src/main.js': "import { createApp } from 'vue'\nimport App from './App.vue'\ncreateApp(App).mount('#app')",
      'src/App.vue': '<template><h1>before the change</h1></template>',
    },
    answers: { '': 'app.js' },
    edit: edit('src/App.vue'),
  },
  {
    name: 'angular',
    npm: {
      ...{ '@angular/cli': '^20', '@angular/build': '^20', '@angular/core': '^20', '@angular/common': '^20' },
      ...{ '@angular/compiler': '^20', '@angular/compiler-cli': '^20', '@angular/platform-browser': '^20' },
      ...{ rxjs: '^7', 'zone.js': '^0.15', typescript: '~5.9', tslib: '^2' },
    },
    scripts: { start: 'ng serve' },
    files: angularApplication({
      build: { polyfills: ['zone.js'] },
      compilerOptions: { experimentalDecorators: true },
    }),
    answers: { '': 'app-root' },
    edit: edit('src/main.ts'),
  },
  {
    name: 'next',
    npm: { next: '^15', react: '^19', 'react-dom': '^19' },
    manifest: { type: 'commonjs' },
    scripts: { dev: 'next dev' },
    files: {
      'app/layout.jsx':
        'export default function Layout({ children }) {\n  return <html><body>{children}</body></html>\n}',
      'app/page.jsx': 'export default function Page() {\n  return <h1>before the change</h1>\n}',
    },
    answers: { '': 'before the change' },
    edit: edit('app/page.jsx'),
  },
  {
    name: 'nuxt',
    npm: { nuxt: '^3', vue: '^3' },
    scripts: { dev: 'nuxt dev' },
    files: {
      'nuxt.config.ts': 'export default defineNuxtConfig({ telemetry: false })',
      'app.vue': '<template><h1>before the change</h1></template>',
    },
    answers: { '': 'before the change' },
    edit: edit('app.vue'),
  },
  {
    name: 'docusaurus',
    npm: { '@docusaurus/core': '^3', '@docusaurus/preset-classic': '^3', react: '^19', 'react-dom': '^19' },
    manifest: { type: undefined },
    scripts: { start: 'docusaurus start' },
    files: {
      'docusaurus.config.js':
        "module.exports = { title: 'corpus', url: 'https://corpus.test', baseUrl: '/', presets: [['classic', { docs: false, blog: false }]] }",
      'src/pages/index.js': 'export default function Page() {\n  return <h1>before the change</h1>\n}',
    },
    answers: { '': 'main.js' },
    edit: edit('src/pages/index.js'),
  },
  {
    name: 'storybook',
    npm: { storybook: '^9', '@storybook/html-vite': '^9', vite: '^7' },
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
    name: 'wrangler',
    npm: { wrangler: '^4' },
    scripts: { dev: 'wrangler dev' },
    files: {
      'wrangler.toml':
        'name = "corpus"\nmain = "src/index.js"\ncompatibility_date = "2025-01-01"\nsend_metrics = false\n',
      'src/index.js': "export default { fetch: () => new Response('wrangler answers') }",
    },
    answers: { '': 'wrangler answers' },
  },
]
