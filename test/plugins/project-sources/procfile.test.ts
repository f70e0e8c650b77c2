import t from 'tap'
import { failureOf, folderOf, infer, lines } from './folders.ts'

t.test('web and lines with a server get a port, all others are workers', async t => {
  const manifest = {
    scripts: { client: 'vite', 'client:watch': 'vite build --watch', api: 'npm run api:dev', 'api:dev': 'next dev' },
  }
  const Procfile = `# all
web: node server.js

API :  node api.js --port $PORT  \r
admin: node admin.js --port=\${PORT:-4000}
other: node other.js $PORTS
WORK_er: ruby x.rb
rails: env RUBY_DEBUG_OPEN=true bin/rails server
django: .venv/bin/python manage.py runserver
jobs: bin/rails solid_queue:start
front: yarn client
back: npm run api
css: npm run client:watch
`
  const answer = await infer(folderOf(t, { Procfile, 'package.json': JSON.stringify(manifest) }))
  t.equal(answer.file, 'Procfile')
  t.strictSame(lines(answer), [
    'web: node server.js',
    'api: node api.js --port $PORT',
    `admin: node admin.js --port=\${PORT:-4000}`,
    'other (worker): node other.js $PORTS',
    'work-er (worker): ruby x.rb',
    'rails: env RUBY_DEBUG_OPEN=true bin/rails server',
    'django: .venv/bin/python manage.py runserver',
    'jobs (worker): bin/rails solid_queue:start',
    'front: yarn client',
    'back: npm run api',
    'css (worker): npm run client:watch',
  ])
})

t.test('Procfile.dev goes before Procfile', async t => {
  const answer = await infer(folderOf(t, { Procfile: 'web: a', 'Procfile.dev': 'web: b\ncss: c\n' }))
  t.equal(answer.file, 'Procfile.dev')
  t.strictSame(lines(answer), ['web: b', 'css (worker): c'])
  const empty = await infer(folderOf(t, { Procfile: 'web: a', 'Procfile.dev': '# nothing\n' }))
  t.equal(empty.file, 'Procfile')
})

t.test('names of objects are names, and errors have a line', async t => {
  const answer = await infer(folderOf(t, { Procfile: 'constructor: a\ntostring: b\nhasownproperty: c' }))
  t.strictSame(Object.keys(answer.services), ['constructor', 'tostring', 'hasownproperty'])
  const message = async (Procfile: string) => (await failureOf(folderOf(t, { Procfile }))).message
  t.equal(await message('web: a\nweb: b'), "Procfile:2: names 'web' again")
  t.equal(await message('web: a\nwhat is this'), "Procfile:2: is not 'name: command'")
})
