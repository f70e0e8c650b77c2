export interface Product {
  readonly id: string
  readonly name: string
  readonly about: string
  /** In cents. */
  readonly price: number
  readonly tint: string
  /** How many the stock service has. */
  readonly left: number
}

export interface Order {
  readonly id: number
  readonly product: string
  readonly packed: boolean
}

export interface Shop {
  readonly name: string
  readonly currency: string
  readonly products: readonly Product[]
  readonly orders: readonly Order[]
}

/** Calls with the shop, now and after each change; the browser reconnects automatically. */
export function listen(changed: (shop: Shop) => void, connected: (is: boolean) => void): void {
  const events = new EventSource('/api/events')
  events.onopen = () => connected(true)
  events.onerror = () => connected(false)
  events.onmessage = ({ data }) => changed(JSON.parse(data))
}

export async function buy(product: Product): Promise<void> {
  await fetch('/api/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ product: product.id }),
  })
}
