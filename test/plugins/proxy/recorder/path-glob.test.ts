import t from 'tap'
import { pathGlob } from '../../../../plugins/proxy/recorder/view/path-glob.ts'

const cases: readonly [glob: string, fits: readonly string[], others: readonly string[]][] = [
  ['/api', ['/api'], ['/api/', '/apis', '/']],
  ['/api/*', ['/api/', '/api/a', '/api/a/b'], ['/api', '/apis/a']],
  ['/*/edit', ['/a/edit'], ['/a/b/edit', '/edit']],
  ['/a/**/z', ['/a/z', '/a/b/z', '/a/b/c/z'], ['/a/bz', '/az']],
  ['/a?', ['/ab'], ['/a', '/a/', '/abc']],
  ['**.css', ['/a.css', '/a/b.css'], ['/a.css/']],
  ['/(a+)+[b]{c}', ['/(a+)+[b]{c}'], ['/aab']],
  ['*', ['/', '/a/b'], []],
]

t.test('a glob fits the paths that it means', async t => {
  for (const [glob, fits, others] of cases) {
    for (const path of fits) t.ok(pathGlob(glob)(path), `${glob} fits ${path}`)
    for (const path of others) t.notOk(pathGlob(glob)(path), `${glob} does not fit ${path}`)
  }
})

t.test('no glob takes long', async t => {
  const path = `/${'a'.repeat(4000)}`
  const start = process.cpuUsage()
  t.notOk(pathGlob(`${'**a'.repeat(60)}b`)(path))
  t.notOk(pathGlob('/(a+)+b')(path))
  t.ok(process.cpuUsage(start).user < 5_000_000, 'in less than 5 s of CPU time')
})
