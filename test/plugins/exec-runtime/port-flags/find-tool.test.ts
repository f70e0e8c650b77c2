import { execFileSync } from 'node:child_process'
import t from 'tap'
import { findTool } from '../../../../plugins/exec-runtime/port-flags/find-tool.ts'
import { parseSimpleCommand } from '../../../../plugins/exec-runtime/port-flags/simple-command.ts'

const scripts = {
  dev: 'vite',
  start: 'cross-env NODE_ENV=development vite --open',
  port: 'vite --port 3000',
  both: 'vite & node api.js',
  nested: 'npm run dev',
  npx: 'npx vite',
  api: 'node server.js',
  flask: 'FLASK_RUN_PORT=5001 flask run',
  serve: 'eleventy --serve',
  build: 'vite build',
  vite: 'vite build',
}
const unset = () => false

function adds(command: string, isSet: (name: string) => boolean = unset): string | undefined {
  const found = findTool(command, scripts, isSet)
  return found && `${found.separator}${found.tool.adds}`
}

const strict = '--port $PORT --strictPort'
const port = '--port $PORT'
const webpack = '--port $PORT --client-web-socket-url auto://0.0.0.0:0/ws'

const known: readonly (readonly [command: string, added: string])[] = [
  ['vite', strict],
  ['vite dev', strict],
  ['vite serve app --host', strict],
  ['vite preview', strict],
  ['  vite  ./site  ', strict],
  ['vite --mode "my mode" \'a b\'', strict],
  ['exec vite', strict],
  ['NODE_ENV=development DEBUG="a b" vite', strict],
  ['cross-env A=1 B=2 vite', strict],
  ['env A=1 vite', strict],
  ['vite --host $HOST', strict],
  ['vite --host="$HOST" --open', strict],
  ['npx vite', strict],
  ['npx --yes vite@8.1.0 dev', strict],
  ['bunx --bun vite', strict],
  ['bun x vite', strict],
  ['pnpm exec vite', strict],
  ['pnpm dlx vite', strict],
  ['yarn dlx vite', strict],
  ['yarn exec vite', strict],
  ['yarn astro dev', port],
  ['./node_modules/.bin/vite', strict],
  ['node_modules/.bin/vite', strict],
  ['npm run dev', `-- ${strict}`],
  ['npm run-script dev', `-- ${strict}`],
  ['npm run dev --silent', `-- ${strict}`],
  ['npm start', `-- ${strict}`],
  ['npm run npx', `-- ${strict}`],
  ['A=1 npm run dev', `-- ${strict}`],
  ['cross-env A=1 npm run dev', `-- ${strict}`],
  ['pnpm run dev', strict],
  ['pnpm dev --open', strict],
  ['yarn dev', strict],
  ['yarn run dev', strict],
  ['bun run dev', strict],
  ['bun --bun run dev', strict],
  ['npm run serve', `-- ${port}`],
  ['react-router dev', strict],
  ['npx @react-router/dev dev', strict],
  ['astro preview', port],
  ['ng serve --open', port],
  ['npx @angular/cli@20 s', port],
  ['rsbuild dev', port],
  ['rspack serve', port],
  ['webpack serve --mode development', webpack],
  ['webpack-dev-server', webpack],
  ['eleventy --serve --quiet', port],
  ['vitepress dev docs', port],
  ['docusaurus start', '--port $PORT --no-open'],
  ['storybook dev', '-p $PORT --ci'],
  ['remix vite:dev', strict],
  ['waku dev', port],
  ['slidev', port],
  ['slidev talk.md --open', port],
  ['rspress dev', port],
  ['ladle serve', port],
  ['hexo server', port],
  ['hexo s', port],
  ['expo start --offline', port],
  ['netlify dev', port],
  ['npx netlify-cli dev', port],
  ['wrangler pages dev ./dist', port],
  ['flask run', port],
  ['flask --app hello -e .env run --debug', port],
  ['.venv/bin/flask --app=hello run', port],
  ['python -m flask run', port],
  ['python3.12 -u -m uvicorn main:app --reload', port],
  ['uv run uvicorn main:app', port],
  ['poetry run fastapi dev', port],
  ['.venv/bin/python manage.py runserver', '127.0.0.1:$PORT'],
  ['./manage.py runserver --noreload', '127.0.0.1:$PORT'],
  ['python -m django runserver --settings=a.b', '127.0.0.1:$PORT'],
  ['python3 -m http.server --directory public', '$PORT'],
  ['hypercorn app:app', '--bind 127.0.0.1:$PORT'],
  ['streamlit run app.py', '--server.port $PORT --server.headless true'],
  ['mkdocs serve', '--dev-addr 127.0.0.1:$PORT'],
  ['hugo server -D', port],
]

const unknown: readonly string[] = [
  ...['vite build', 'vite optimize', 'vite --help', 'vite build --watch', 'npm run build', 'npm run vite'],
  ...['vite --port 3000', 'vite --port=3000', 'vite --port "$PORT"', 'flask run -p 5000', 'flask run -p5000'],
  ...['npm run port', 'yarn port', 'pnpm dev --port 3000', 'npm run dev -- --host', 'npm run dev -- --port 3000'],
  ...['npm run dev --host', 'npm run nested', 'npm run missing', 'npm run both', 'npm run', 'npm test', 'npm'],
  ...[
    'npm --prefix web run dev',
    'pnpm --filter web dev',
    'pnpm -C web dev',
    'yarn workspace web dev',
    'npm exec vite',
  ],
  ...['npm run api', 'node server.js', 'node vite', 'echo vite', 'make vite', 'sudo vite', '../tools/vite', 'my-vite'],
  ...['python manage.py runserver 8000', 'python manage.py runserver 0.0.0.0:8000', 'python manage.py migrate'],
  ...['python -m http.server 9000', 'python -c vite', 'python app.py', 'flask shell', 'flask --app run shell', 'flask'],
  ...['uvicorn main:app --uds /tmp/s', 'hypercorn -b :8000 app:app', 'mkdocs serve -a :9000', 'mkdocs build', 'hugo'],
  ...[
    'npx',
    'npx --package vite vite',
    'npx -p vite vite',
    'uv run --with flask flask run',
    'npx npx npx npx npx vite',
  ],
  ...['concurrently "vite" "node api.js"', 'vite && echo done', 'vite || true', 'vite; node a.js', 'vite & node a.js'],
  ...['vite | tee log', 'vite > log', 'vite 2>&1', 'vite < in', '(vite)', '{ vite; }', 'vite # as a comment', '! vite'],
  ...['vite $(cat flags)', 'vite `cat flags`', 'vite $ARGS', 'vite "$ARGS"', 'vite "a\\"b', "vite 'a"],
  ...['vite\nnode a.js', 'vite \\\n--open', 'vite\r\nrm x', 'vite *.ts', 'vite ~/{a,b}', 'if vite', 'time vite', ''],
  ...[
    'A=1',
    'vite -- --open',
    'eleventy',
    'webpack',
    'ng build',
    'docusaurus build',
    'slidev build',
    'slidev export talk.md',
    'netlify deploy',
    'expo export',
    'remix vite:build',
    'hexo generate',
    '"vite',
    'vite "',
    '\\',
    "vite 'a\nb'",
  ],
]

t.test('finds known tools', async t => {
  for (const [command, added] of known) t.equal(adds(command), added, command)
})

t.test('leaves all other commands alone', async t => {
  for (const command of unknown) t.equal(adds(command), undefined, command)
})

t.test("leaves the port of a tool's own variable alone", async t => {
  const isSet = (name: string) => name === 'FLASK_RUN_PORT'
  t.equal(adds('flask run', isSet), undefined)
  t.equal(adds('FLASK_RUN_PORT=5001 flask run'), undefined)
  t.equal(adds('npm run flask'), undefined)
  t.equal(adds('uvicorn main:app', isSet), port)
})

t.test('reads words as sh does', async t => {
  const commands = [
    ...['a \'b c\' "d e" f\\ g', 'a\\"b c"\'"d \'"\'', 'a "" \'\' b', 'a b\'c\'d"e"f', 'a=b c=d', 'x --a=~b,c@d%e+f^g'],
    ...["a '$(touch x)' '`x`' '#' ';' '*'", 'a \\$HOME \\; \\# \\*'],
  ]
  for (const command of commands) {
    const printed = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
    t.strictSame(parseSimpleCommand(`printf ${command}`)?.words.slice(1), printed.split('\n').slice(0, -1), command)
  }
})
