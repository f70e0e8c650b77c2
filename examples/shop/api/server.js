import fastify from 'fastify'
import { catalogue } from './catalogue.js'
import { Orders } from './orders.js'

const { HOST = '127.0.0.1', PORT = '4000', STOCK_URL, SHOP_NAME = 'Shop', SHOP_CURRENCY = 'EUR' } = process.env

const app = fastify()
const orders = new Orders()
const pages = new Set()

/** The products, with what the stock service says is left of each. */
async function products() {
  const stock = await (await fetch(`${STOCK_URL}/stock`)).json()
  return catalogue.map(product => ({ ...product, left: stock[product.id] ?? 0 }))
}

/** All that a page shows. */
async function shop() {
  return { name: SHOP_NAME, currency: SHOP_CURRENCY, products: await products(), orders: orders.recent }
}

async function send(page) {
  page.write(`data: ${JSON.stringify(await shop())}\n\n`)
}

orders.on('change', () => {
  for (const page of pages) send(page).catch(error => console.error(error))
})

app.addHook('onError', async (_request, _reply, error) => console.error(error))

app.get('/healthz', async () => ({ ok: true }))

app.get('/api/products', products)

app.post('/api/orders', async (request, reply) => {
  const product = catalogue.find(({ id }) => id === request.body?.product)
  if (product === undefined) return reply.code(404).send({ error: 'no such product' })
  const taken = await fetch(`${STOCK_URL}/stock/${product.id}`, { method: 'POST' })
  if (!taken.ok) return reply.code(409).send({ error: 'sold out' })
  const order = orders.add(product.name)
  console.log(`order ${order.id}: ${product.name}`)
  return reply.code(201).send(order)
})

/** Server-sent events: the whole shop now, and again at each change. */
app.get('/api/events', async (_request, reply) => {
  const page = reply.hijack().raw
  page.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  page.write('retry: 500\n\n')
  pages.add(page)
  page.once('close', () => pages.delete(page))
  await send(page)
})

// For the worker; outside /api, so that the shop's own domain does not lead here.
app.get('/orders/next', async (_request, reply) => {
  const closed = new AbortController()
  reply.raw.once('close', () => closed.abort())
  return (await orders.take(AbortSignal.any([closed.signal, AbortSignal.timeout(20_000)]))) ?? reply.code(204).send()
})

app.post('/orders/:id/packed', async (request, reply) => {
  return orders.pack(Number(request.params.id)) ?? reply.code(404).send({ error: 'no such order' })
})

process.once('SIGTERM', () => {
  app.close()
  app.server.closeAllConnections()
})

await app.listen({ host: HOST, port: Number(PORT) })
console.log(`${catalogue.length} products, at port ${PORT}`)
