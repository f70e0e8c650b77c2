import t from 'tap'
import { isBelow, isWithin } from '../../../kernel/lib/subpath.ts'

t.test('a path is within a folder as a whole name, with `..` resolved', async t => {
  for (const [path, folder] of [
    ['/a/b', '/a'],
    ['/a/..b', '/a'],
    ['/a/b/../c', '/a'],
    ['/a', '/'],
    ['/a/b', '/a/'],
  ] as const) {
    t.ok(isWithin(path, folder), `${path} in ${folder}`)
    t.ok(isBelow(path, folder), `${path} below ${folder}`)
  }
  for (const [path, folder] of [
    ['/ab', '/a'],
    ['/', '/a'],
    ['/a/../b', '/a'],
    ['/a/..', '/a'],
  ] as const)
    t.notOk(isWithin(path, folder), `${path} not in ${folder}`)
  t.ok(isWithin('/a', '/a'))
  t.notOk(isBelow('/a', '/a'), 'a folder is not below itself')
  t.notOk(isBelow('/a/', '/a'))
})
