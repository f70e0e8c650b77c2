import { levelOf } from '../../../kernel/logs/level.ts'
import type { Block } from './block.ts'

/** Blocks that are alike but for numbers and ids. */
export interface Kind {
  readonly service: string
  readonly template: string
  readonly count: number
  /** 2 an error, 1 a warning, 0 neither. */
  readonly gravity: number
  /** Times of the first and the last one. */
  readonly first: string
  readonly last: string
  /** The last one. */
  readonly text: string
}

/** UUIDs, hexadecimal numbers and hashes, then numbers with their points, colons and units. */
const variable =
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{5,}\b|\d+(?:[.:,]\d+)*/gi
/** UTF-16 units of a block that are compared. */
const compared = 300
/** A place with so few values, as that of a status, separates kinds. */
const fewValues = 6

/** Folds blocks, the oldest first, to kinds: those that differ in nothing but numbers and ids are one. */
export function foldBlocks(blocks: readonly Block[]): readonly Kind[] {
  const shapes = new Map<string, { readonly blocks: Block[]; readonly values: string[][] }>()
  for (const block of blocks) {
    const values: string[] = []
    const shape = block.text.slice(0, compared).replace(variable, value => {
      values.push(value)
      return '#'
    })
    const key = `${block.service} ${shape}`
    const found = shapes.get(key)
    if (found === undefined) shapes.set(key, { blocks: [block], values: [values] })
    else {
      found.blocks.push(block)
      found.values.push(values)
    }
  }
  return [...shapes].flatMap(([shape, { blocks: alike, values }]) => split(shape, alike, values))
}

/** Splits blocks of one shape by the places of it that have few values for how many blocks there are. */
function split(shape: string, blocks: readonly Block[], values: readonly (readonly string[])[]): readonly Kind[] {
  const places = (values[0] ?? []).map((_, place) => new Set(values.map(each => each[place])).size)
  const separating = places.flatMap((size, place) =>
    size > 1 && size <= fewValues && size * 4 <= blocks.length ? [place] : [],
  )
  const groups = new Map<string, Block[]>()
  for (const [index, block] of blocks.entries()) {
    const key = [shape, ...separating.map(place => values[index]?.[place])].join(' ')
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [block])
    else group.push(block)
  }
  return [...groups].flatMap(([template, group]) => {
    const [first] = group
    const last = group.at(-1)
    if (first === undefined || last === undefined) return []
    const { service, text } = last
    const gravity = gravityOf(last)
    return [{ service, template, count: group.length, gravity, first: first.time, last: last.time, text }]
  })
}

/** Orders kinds: errors, then warnings, then what is rare; of equals the latest first. */
export function byInterest(isNew: (kind: Kind) => boolean): (a: Kind, b: Kind) => number {
  const rank = (kind: Kind) => kind.gravity * 2 + (isNew(kind) ? 1 : 0)
  return (a, b) => rank(b) - rank(a) || a.count - b.count || (a.last < b.last ? 1 : -1)
}

/** A status of the server's fault, as access logs have it. */
const serverError = /"? 5\d\d\b/
/** UTF-16 units at the beginning of a block in which one is looked for. */
const examined = 300

function gravityOf({ text, stream }: Block): number {
  const level = levelOf(text, stream)
  if (level === 'error' || serverError.test(text.slice(0, examined))) return 2
  return level === 'warn' ? 1 : 0
}
