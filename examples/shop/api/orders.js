import { EventEmitter, once } from 'node:events'

/** The shop's orders, newest first. In memory: a restart forgets them. */
export class Orders extends EventEmitter {
  #all = []
  #next = 1

  /** The last few. */
  get recent() {
    return this.#all.slice(0, 5)
  }

  add(product) {
    const order = { id: this.#next++, product, packed: false }
    this.#all.unshift(order)
    this.emit('change')
    return order
  }

  /** The oldest order that is not packed; waits for one until the signal says stop. */
  async take(signal) {
    for (;;) {
      const order = this.#all.findLast(({ packed }) => !packed)
      if (order !== undefined) return order
      try {
        await once(this, 'change', { signal })
      } catch {
        return undefined
      }
    }
  }

  pack(id) {
    const order = this.#all.find(one => one.id === id)
    if (order === undefined) return undefined
    order.packed = true
    this.emit('change')
    return order
  }
}
