/** A service and the names of the services it depends on; names that are not in the graph are ignored. */
export interface Node {
  readonly name: string
  readonly dependsOn: readonly string[]
}

/**
 * Groups services by level, so that a service's dependencies are in earlier levels. A level keeps the given order.
 * Services in a cycle, and those that depend on one, are left out: check `cycle` first.
 */
export function levels(nodes: readonly Node[]): string[][] {
  const known = new Set(nodes.map(({ name }) => name))
  const done = new Set<string>()
  const all: string[][] = []
  for (;;) {
    const level = nodes.filter(
      ({ name, dependsOn }) => !done.has(name) && dependsOn.every(other => done.has(other) || !known.has(other)),
    )
    if (level.length === 0) return all
    for (const { name } of level) done.add(name)
    all.push(level.map(({ name }) => name))
  }
}

/** Returns a cycle as a path from a service to itself (`a, b, a`); undefined where there is none. */
export function cycle(nodes: readonly Node[]): string[] | undefined {
  return cycles(nodes)[0]
}

/** Returns cycles that share no service; together they touch every part of the graph that has one. */
export function cycles(nodes: readonly Node[]): string[][] {
  const edges = new Map(nodes.map(({ name, dependsOn }) => [name, dependsOn]))
  const done = new Set<string>()
  const found: string[][] = []
  for (const { name } of nodes) {
    // The services of a cycle are removed before the rest is searched again.
    for (let path = search(name, edges, done); path !== undefined; path = search(name, edges, done)) {
      found.push(path)
      for (const member of path) done.add(member)
    }
  }
  return found
}

/**
 * Returns the first cycle that can be reached from a service, and marks services that lead to none as done. Not
 * recursive: graphs can be deep.
 */
function search(start: string, edges: ReadonlyMap<string, readonly string[]>, done: Set<string>): string[] | undefined {
  if (done.has(start)) return undefined
  const stack = [{ name: start, next: 0 }]
  const on = new Set([start])
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const to = edges.get(top.name)?.[top.next]
    top.next++
    if (to === undefined) {
      done.add(top.name)
      on.delete(top.name)
      stack.pop()
    } else if (on.has(to)) {
      const names = stack.map(({ name }) => name)
      return [...names.slice(names.indexOf(to)), to]
    } else if (edges.has(to) && !done.has(to)) {
      stack.push({ name: to, next: 0 })
      on.add(to)
    }
  }
  return undefined
}

/** Returns the given services and all their dependencies, in the order of the graph. */
export function closure(nodes: readonly Node[], names: Iterable<string>): string[] {
  return findReachable(nodes, names, new Map(nodes.map(({ name, dependsOn }) => [name, dependsOn])))
}

/**
 * Returns the services that depend on the given ones, in the order of the graph. A given one is included only if it
 * depends on another.
 */
export function dependents(nodes: readonly Node[], names: Iterable<string>): string[] {
  const back = new Map<string, string[]>()
  for (const { name, dependsOn } of nodes)
    for (const other of dependsOn) back.set(other, [...(back.get(other) ?? []), name])
  const given = [...names]
  const direct = given.flatMap(name => back.get(name) ?? [])
  return findReachable(nodes, direct, back)
}

function findReachable(
  nodes: readonly Node[],
  from: Iterable<string>,
  edges: ReadonlyMap<string, readonly string[]>,
): string[] {
  const seen = new Set<string>()
  const todo = [...from]
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    todo.push(...(edges.get(name) ?? []))
  }
  return nodes.map(({ name }) => name).filter(name => seen.has(name))
}
