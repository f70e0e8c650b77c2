import t from 'tap'
import { packageJson, procfile } from '../../../plugins/exec-runtime/project-sources.ts'
import './harness.ts'

t.test('reads projects from Procfile and package.json', async t => {
  const read = (text: string) => procfile.read(text, '/')
  t.strictSame(read('# all\nweb: npm run dev\n\nWORK_er :  ruby x.rb  \r\n'), {
    web: { type: 'exec', command: 'npm run dev' },
    'work-er': { type: 'worker', command: 'ruby x.rb' },
  })
  t.strictSame(Object.keys(read('constructor: a\ntostring: b\nhasownproperty: c') ?? {}), [
    'constructor',
    'tostring',
    'hasownproperty',
  ])
  t.equal(read('# nothing\n'), undefined)
  t.throws(() => read('web: a\nweb: b'), /line 2 names 'web' again/)
  t.throws(() => read('web: a\nwhat is this'), /line 2 is not/)
  const dir = t.testdir()
  const manifest = (text: string) => packageJson.read(text, dir)
  t.strictSame(manifest('{"scripts":{"start":"b","dev":"a"}}'), { web: { type: 'exec', command: 'npm run dev' } })
  t.strictSame(manifest('{"scripts":{"start":"b"}}'), { web: { type: 'exec', command: 'npm run start' } })
  for (const text of ['{}', '[]', 'null', '{"scripts":[]}', '{"scripts":{"test":"x"}}'])
    t.equal(manifest(text), undefined)
})
