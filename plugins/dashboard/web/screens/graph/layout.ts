import { Graph, layout } from '@dagrejs/dagre'

/** The size of a node, px; `narrow` on a phone, where two stand side by side. */
export const nodeSizes = { wide: { width: 212, height: 60 }, narrow: { width: 160, height: 60 } } as const
const margin = 20

export interface PlacedNode {
  readonly key: string
  /** Of its upper left corner. */
  readonly x: number
  readonly y: number
}

export interface PlacedEdge {
  readonly from: string
  readonly to: string
  /** An SVG path. */
  readonly path: string
}

export interface Layout {
  readonly size: { readonly width: number; readonly height: number }
  readonly width: number
  readonly height: number
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly PlacedEdge[]
}

interface LayoutService {
  readonly key: string
  readonly dependsOn: readonly string[]
}

/** Places services so that each stands after what it depends on: to the right, or below. */
export function layoutOf(services: readonly LayoutService[], isDownwards: boolean): Layout {
  const graph = new Graph()
  const size = isDownwards ? nodeSizes.narrow : nodeSizes.wide
  const direction = isDownwards ? 'TB' : 'LR'
  graph.setGraph({ rankdir: direction, nodesep: isDownwards ? 12 : 20, ranksep: isDownwards ? 40 : 72 })
  graph.setDefaultEdgeLabel(() => ({}))
  const known = new Set(services.map(({ key }) => key))
  for (const { key } of services) graph.setNode(key, { ...size })
  for (const { key, dependsOn } of services)
    for (const other of dependsOn) if (known.has(other)) graph.setEdge(other, key)
  layout(graph)
  const nodes = services.map(({ key }) => {
    const { x = 0, y = 0 } = graph.node(key)
    return { key, x: x - size.width / 2 + margin, y: y - size.height / 2 + margin }
  })
  const edges = graph.edges().map(edge => {
    const points: readonly Point[] = graph.edge(edge).points ?? []
    return { from: edge.v, to: edge.w, path: curve(points.map(({ x, y }) => ({ x: x + margin, y: y + margin }))) }
  })
  const farthest = (side: 'x' | 'y', size: number) => Math.max(0, ...nodes.map(node => node[side])) + size + margin
  return { size, width: farthest('x', size.width), height: farthest('y', size.height), nodes, edges }
}

interface Point {
  readonly x: number
  readonly y: number
}

/** Draws a smooth line through points. */
function curve(points: readonly Point[]): string {
  const [first, ...rest] = points
  const last = rest.at(-1)
  if (first === undefined || last === undefined) return ''
  const middles = rest.slice(0, -1).map((point, at) => {
    const next = rest[at + 1] ?? last
    return `Q${text(point)} ${text({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 })}`
  })
  return `M${text(first)}${middles.join('')}L${text(last)}`
}

function text({ x, y }: Point): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`
}
