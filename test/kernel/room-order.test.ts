import { dirname } from 'node:path'
import t from 'tap'
import { firstColumn, kernelOrder } from '../lib/architecture.ts'
import { importsOf, type Source, sourcesOf } from '../lib/sources.ts'

/** The rooms of kernel/, from above: each may import only itself and those below it. */
const order = kernelOrder().map(name => name.replace(/\/$/, ''))

/** Areas whose rooms (their folders, and each file beside these) do not import one another both ways. */
const areas = [
  'cli',
  'kernel/operations',
  'plugins/https',
  'plugins/platform-linux',
  'plugins/postgres',
  'plugins/proxy',
]

type Graph = ReadonlyMap<string, readonly string[]>

function graphOf(sources: readonly Source[]): Graph {
  const pathsOf = (source: Source) => importsOf(source).flatMap(({ path }) => path ?? [])
  return new Map(sources.map(source => [source.file, [...new Set(pathsOf(source))]]))
}

function filesOf(...rooms: readonly string[]): readonly Source[] {
  return rooms.flatMap(sourcesOf)
}

function kernelRoom(file: string): number {
  return order.indexOf(file.split('/')[1] ?? '')
}

function importsUpwards(graph: Graph): readonly string[] {
  return [...graph].flatMap(([file, imports]) =>
    imports.filter(path => kernelRoom(path) < kernelRoom(file)).map(path => `${file} imports ${path}`),
  )
}

/** Lists each circle of imports once (Tarjan's strongly connected components), its files sorted. */
function circles(graph: Graph): readonly string[] {
  const found: string[] = []
  const indices = new Map<string, number>()
  const path: string[] = []
  /** Returns the lowest index that a file leads back to. */
  const visit = (file: string): number => {
    const index = indices.size
    indices.set(file, index)
    path.push(file)
    let lowest = index
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue
      const known = indices.get(next)
      if (known === undefined) lowest = Math.min(lowest, visit(next))
      else if (path.includes(next)) lowest = Math.min(lowest, known)
    }
    if (lowest === index) {
      const circle = path.splice(path.indexOf(file))
      if (circle.length > 1 || graph.get(file)?.includes(file)) found.push(circle.sort().join(' '))
    }
    return lowest
  }
  for (const file of graph.keys()) if (!indices.has(file)) visit(file)
  return found.sort()
}

function mutualRooms(area: string, graph: Graph): readonly string[] {
  const roomOf = (file: string) => file.slice(area.length + 1).split('/')[0] ?? ''
  const inside = [...graph].filter(([file]) => file.startsWith(`${area}/`))
  const arrows = inside.flatMap(([file, imports]) =>
    imports
      .filter(path => path.startsWith(`${area}/`) && roomOf(path) !== roomOf(file))
      .map(path => ({ from: roomOf(file), to: roomOf(path), text: `${file} imports ${path}` })),
  )
  return arrows
    .filter(({ from, to }) => arrows.some(other => other.from === to && other.to === from))
    .map(({ text }) => text)
}

t.test('the kernel imports downwards only', async t => {
  const sources = sourcesOf('kernel')
  for (const { file } of sources) t.ok(kernelRoom(file) >= 0, `${file} is in a known room`)
  for (const room of order) {
    const isThere = sources.some(({ file }) => file === `kernel/${room}` || dirname(file).startsWith(`kernel/${room}`))
    t.ok(isThere, `kernel/${room} exists`)
  }
  t.strictSame(importsUpwards(graphOf(sources)), [])
})

t.test('no files import each other in a circle', async t => {
  t.strictSame(circles(graphOf(filesOf('kernel', 'cli', 'plugins', 'scripts'))), [])
})

t.test('no two rooms of an area import each other', async t => {
  for (const area of areas) t.strictSame(mutualRooms(area, graphOf(sourcesOf(area))), [], area)
})

t.test('the rules detect violations', async t => {
  const graph = (imports: Readonly<Record<string, string>>) =>
    graphOf(Object.entries(imports).map(([file, from]) => ({ file, text: `import type { A } from '${from}'` })))
  const upwards = graph({ 'kernel/config/a.ts': '../api/b.ts', 'kernel/api/b.ts': '../config/a.ts' })
  t.strictSame(importsUpwards(upwards), ['kernel/config/a.ts imports kernel/api/b.ts'])
  t.strictSame(circles(upwards), ['kernel/api/b.ts kernel/config/a.ts'])
  const three = { 'cli/a.ts': './b.ts', 'cli/b.ts': './c.ts', 'cli/c.ts': './a.ts', 'cli/d.ts': './a.ts' }
  t.strictSame(circles(graph(three)), ['cli/a.ts cli/b.ts cli/c.ts'])
  t.strictSame(circles(graph({ 'cli/a.ts': './a.ts' })), ['cli/a.ts'])
  t.strictSame(circles(graph({ 'cli/a.ts': './b.ts', 'cli/b.ts': './c.ts' })), [])
  const mutual = graph({ 'cli/x/a.ts': '../y/b.ts', 'cli/y/c.ts': '../x/d.ts', 'cli/z/e.ts': '../x/d.ts' })
  t.strictSame(mutualRooms('cli', mutual), ['cli/x/a.ts imports cli/y/b.ts', 'cli/y/c.ts imports cli/x/d.ts'])
})

/** The rooms of cli/, from above. */
const cliOrder = [
  'main.ts',
  'commands',
  'mcp',
  'expect',
  'ai',
  'monitor',
  'watch',
  'scratch',
  'edit',
  'export',
  'attach',
  'init',
  'completion',
  'admin',
  'follow',
  'worktree',
  'daemon',
  'output',
  'screen',
  'agent.ts',
  'context.ts',
  'args',
]

t.test('the configuration imports downwards only', async t => {
  const rooms = firstColumn('In `kernel/config/`').map(name => `kernel/config/${name}`)
  const roomOf = (file: string) =>
    rooms.findIndex(room => file === room || (room.endsWith('/') && file.startsWith(room)))
  const graph = graphOf(sourcesOf('kernel/config'))
  for (const file of graph.keys()) t.ok(roomOf(file) >= 0, `${file} is in a known room`)
  const upwards = [...graph].flatMap(([file, imports]) =>
    imports
      .filter(path => path.startsWith('kernel/config/') && roomOf(path) < roomOf(file))
      .map(path => `${file} imports ${path}`),
  )
  t.strictSame(upwards, [])
})

t.test('the CLI imports downwards only', async t => {
  const roomOf = (file: string) => cliOrder.indexOf(file.split('/')[1] ?? '')
  const graph = graphOf(sourcesOf('cli'))
  for (const file of graph.keys()) t.ok(roomOf(file) >= 0, `${file} is in a known room`)
  const upwards = [...graph].flatMap(([file, imports]) =>
    imports
      .filter(path => path.startsWith('cli/') && roomOf(path) < roomOf(file))
      .map(path => `${file} imports ${path}`),
  )
  t.strictSame(upwards, [])
})
