import fc from 'fast-check'
import t from 'tap'
import {
  closure,
  cycle,
  cycles,
  dependents,
  levels,
  type Node,
} from '../../../../kernel/config/checks/dependency-graph.ts'

/** `{ a: 'b c' }`: a needs b and c. */
function graph(edges: Readonly<Record<string, string>>): Node[] {
  return Object.entries(edges).map(([name, needs]) => ({ name, dependsOn: needs.split(' ').filter(Boolean) }))
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
const anyGraph = fc
  .uniqueArray(fc.constantFrom(...names))
  .chain(kept =>
    fc.tuple(
      ...kept.map(name =>
        fc.record({ name: fc.constant<string>(name), dependsOn: fc.uniqueArray(fc.constantFrom<string>(...names)) }),
      ),
    ),
  )
/** Each needs only earlier ones: no cycle. Then shuffled, so that the order given is no help. */
const orderedGraph = anyGraph
  .map(nodes =>
    nodes.map(({ name, dependsOn }, i) => ({
      name,
      dependsOn: dependsOn.filter(other => nodes.slice(0, i).some(node => node.name === other)),
    })),
  )
  .chain(nodes => fc.shuffledSubarray(nodes, { minLength: nodes.length }))

t.test('levels', async t => {
  t.strictSame(levels([]), [])
  t.strictSame(levels(graph({ web: 'api db', api: 'db', cache: '', db: '' })), [['cache', 'db'], ['api'], ['web']])
  t.strictSame(levels(graph({ a: 'unknown' })), [['a']], 'names that are not there do not count')
  t.strictSame(levels(graph({ a: 'b', b: 'a', c: '', d: 'a' })), [['c']], 'a cycle and what needs it have none')
  fc.assert(
    fc.property(orderedGraph, nodes => {
      const all = levels(nodes)
      const levelOf = new Map(all.flatMap((level, i) => level.map(name => [name, i] as const)))
      t.equal(levelOf.size, nodes.length)
      for (const { name, dependsOn } of nodes) {
        const below = Math.max(-1, ...dependsOn.map(other => levelOf.get(other) ?? Number.NaN))
        if (levelOf.get(name) !== below + 1) return false
      }
      return all.every(
        level =>
          level.join() ===
          nodes
            .filter(node => level.includes(node.name))
            .map(node => node.name)
            .join(),
      )
    }),
  )
})

t.test('cycles', async t => {
  t.equal(cycle(graph({ a: 'b', b: '' })), undefined)
  t.strictSame(cycle(graph({ a: 'a' })), ['a', 'a'])
  t.strictSame(cycle(graph({ x: 'a', a: 'b', b: 'c', c: 'a' })), ['a', 'b', 'c', 'a'], 'without the way to it')
  t.strictSame(cycles(graph({ a: 'b', b: 'a', c: 'd', d: 'c', e: 'a c' })), [
    ['a', 'b', 'a'],
    ['c', 'd', 'c'],
  ])
  t.strictSame(
    cycles(graph({ a: 'b d', b: 'a', d: 'e', e: 'd' })),
    [
      ['a', 'b', 'a'],
      ['d', 'e', 'd'],
    ],
    'one behind another',
  )
  fc.assert(
    fc.property(anyGraph, nodes => {
      const all = cycles(nodes)
      const needs = new Map(nodes.map(({ name, dependsOn }) => [name, dependsOn]))
      const real = all.every(
        path =>
          path.length > 1 &&
          path[0] === path.at(-1) &&
          path.slice(1).every((to, i) => needs.get(path[i] ?? '')?.includes(to)),
      )
      const members = all.flatMap(path => path.slice(1))
      const rest = nodes.filter(({ name }) => !members.includes(name))
      return real && new Set(members).size === members.length && levels(rest).flat().length === rest.length
    }),
  )
  const long = Array.from({ length: 50_000 }, (_, i) => ({ name: `s${i}`, dependsOn: [`s${i + 1}`] }))
  t.equal(cycle(long), undefined, 'a deep graph overflows nothing')
})

t.test('closure and dependents', async t => {
  const nodes = graph({ web: 'api', api: 'db', db: '', worker: 'db', docs: '' })
  t.strictSame(closure(nodes, ['api']), ['api', 'db'])
  t.strictSame(closure(nodes, ['worker', 'web']), ['web', 'api', 'db', 'worker'])
  t.strictSame(closure(nodes, ['none']), [])
  t.strictSame(dependents(nodes, ['db']), ['web', 'api', 'worker'])
  t.strictSame(dependents(nodes, ['web', 'docs']), [])
  t.strictSame(dependents(graph({ a: 'b', b: 'a' }), ['a']), ['a', 'b'], 'in a cycle')
  fc.assert(
    fc.property(orderedGraph, nodes => {
      for (const { name } of nodes) {
        const back = nodes
          .filter(other => other.name !== name && closure(nodes, [other.name]).includes(name))
          .map(other => other.name)
        if (back.join() !== dependents(nodes, [name]).join()) return false
      }
      return true
    }),
  )
})
