import { setTimeout as pause } from 'node:timers/promises'

const { API_URL } = process.env

/** Waits for an order and packs it. */
async function packNext() {
  const answer = await fetch(`${API_URL}/orders/next`)
  if (answer.status !== 200) return
  const order = await answer.json()
  console.log(`order ${order.id}: packing a ${order.product}`)
  await pause(1500)
  await fetch(`${API_URL}/orders/${order.id}/packed`, { method: 'POST' })
  console.log(`order ${order.id}: packed`)
}

console.log('waiting for orders')
for (;;) {
  try {
    await packNext()
  } catch (error) {
    console.log(`the API does not answer (${error.cause?.code ?? error.message}), retrying`)
    await pause(500)
  }
}
