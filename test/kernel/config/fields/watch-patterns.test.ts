import picomatch from 'picomatch'
import t from 'tap'
import { faultOf, WatchPatterns } from '../../../../kernel/config/fields/watch-patterns.ts'

t.test('patterns match as documented', t => {
  const root = '/p'
  const fit = (patterns: readonly string[], file: string) =>
    new WatchPatterns(root, patterns, picomatch).matches(`/p/${file}`)
  const tests = ['src/**/*.js', '!src/**/*.test.js']
  const cases: readonly [readonly string[], string, boolean][] = [
    [tests, 'src/a.js', true],
    [tests, 'src/a.test.js', false],
    [tests, 'src/data.json', false],
    [['src'], 'src/deep/a.js', true],
    [['src/'], 'src/deep/a.js', true],
    [['./src/'], 'src/a', true],
    [['src'], 'srcs/a.js', false],
    [['größe/**'.normalize('NFC')], 'größe/a.js'.normalize('NFD'), true],
    [['größe/**'.normalize('NFD')], 'größe/a.js'.normalize('NFC'), true],
    [['.'], 'any/file', true],
    [['packages/*/src'], 'packages/a/src/b.js', true],
    [['src/*'], 'src/deep/a.js', false],
    [['src', '!src/vendor'], 'src/vendor/deep/a.js', false],
    [['src', '!src/vendor/', 'src/vendor/own.js'], 'src/vendor/own.js', true],
    [['**', '!**/vendor'], 'a/vendor/b/c.js', false],
    [['pages/[id].tsx'], 'pages/[id].tsx', true],
    [['app/[id]'], 'app/[id]/page.tsx', true],
    [['app/[...slug]/**'], 'app/[...slug]/page.tsx', true],
    [['app/(group)/**/*.ts'], 'app/(group)/deep/a.ts', true],
    [['app/@modal/(.)photo/*'], 'app/@modal/(.)photo/page.tsx', true],
    [['src/(a|b).js'], 'src/b.js', true],
    [['src/[ab].js'], 'src/b.js', true],
    [['src/[!ab].js'], 'src/c.js', true],
    [['src/[!ab].js'], 'src/b.js', false],
    [['src/*/'], 'src/a/deep/b.js', true],
    [['src/*/'], 'src/a', false],
    [['src', '!src/*/'], 'src/a/b.js', false],
    [['!(a|b).js'], 'c.js', true],
    [['!(a|b).js'], 'a.js', false],
    [['**'], 'node_modules/a/b.js', false],
    [['node_modules/mine'], 'node_modules/mine/b.js', true],
    [['**'], 'src/.a.js.swp', false],
    [['/p/src'], 'src/a.js', true],
    [['../shared/**'], '../shared/a.js', true],
  ]
  for (const [patterns, file, expected] of cases)
    t.equal(fit(patterns, file), expected, `${patterns.join(' ')}: ${file}`)
  t.end()
})

t.test('enters only folders that may contain a match', t => {
  const enters = (patterns: readonly string[], folder: string) =>
    new WatchPatterns('/p', patterns, picomatch).enters(`/p/${folder}`)
  const cases: readonly [readonly string[], string, boolean][] = [
    [['src/**/*.js'], 'src/deep', true],
    [['src/**/*.js'], 'docs', false],
    [['*.go'], 'cmd', false],
    [['packages/*/src/**'], 'packages/a', true],
    [['packages/*/src/**'], 'packages/a/test', false],
    [['src/{a,b/c}/*.js'], 'src/b/c', true],
    [['src', '!src/vendor'], 'src/vendor', false],
    [['src', '!src/vendor', 'src/vendor/own.js'], 'src/vendor', true],
    [['src', '!src/vendor/**'], 'src/vendor/deep', false],
    [['src', '!src/**/*.test.js'], 'src/deep', true],
    [['**'], 'a/node_modules', false],
    [['a/b.txt'], 'a', true],
    [['app/[id]'], 'app/[id]', true],
    [['app/[...slug]/*.ts'], 'app/[...slug]', true],
    [['src/*/'], 'src/a', true],
  ]
  for (const [patterns, folder, expected] of cases)
    t.equal(enters(patterns, folder), expected, `${patterns}: ${folder}`)
  t.end()
})

t.test('rejects a list that can match nothing', t => {
  t.equal(faultOf(['src/**', '!src/gen']), undefined)
  t.match(faultOf(['!src/gen', 'src/**']), /'!src\/gen', which excludes/)
  t.match(faultOf(['src', ' ']), /empty/)
  t.end()
})
