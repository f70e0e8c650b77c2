/** What decides a plugin's turn. */
export interface Ordered {
  readonly name: string
  readonly after: readonly string[]
  readonly needs: readonly string[]
}

/**
 * Gives each its turn: when what it needs is provided, and after those it wants to follow. Of several that can go, the first in the
 * list. One that waits in vain does not hold up those that are to follow it, and neither does a circle of `after`. The result are
 * those whose needs were never met.
 */
export async function inTurn<T extends Ordered>(
  all: readonly T[],
  isProvided: (name: string) => boolean,
  take: (it: T) => Promise<void>,
): Promise<readonly T[]> {
  const waiting = [...all]
  for (;;) {
    const able = waiting.filter(({ needs }) => needs.every(isProvided))
    const next = able.find(it => !follows(it, waiting)) ?? able.find(it => !follows(it, able)) ?? able[0]
    if (next === undefined) return waiting
    waiting.splice(waiting.indexOf(next), 1)
    await take(next)
  }
}

function follows({ name, after }: Ordered, others: readonly Ordered[]): boolean {
  return others.some(other => other.name !== name && after.includes(other.name))
}
