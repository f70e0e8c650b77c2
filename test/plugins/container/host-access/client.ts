/**
 * Clients in the network of containers, as a program: `node client.js ADDRESS PORT WORK`. It prints a line of JSON.
 *   many N      N connections at once: each sends a line, is idle for a while, and gets it back with the end
 *   both BYTES  sends and receives so many bytes at once; how long it took
 *   idle MS     says a word, waits, says another
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

const [address = '', port = '', work = '', amount = ''] = process.argv.slice(2)

async function dial(): Promise<Socket> {
  const socket = connect({ host: address, port: Number(port), allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

async function readAll(socket: Socket): Promise<number> {
  let bytes = 0
  for await (const data of socket) bytes += Buffer.from(data).length
  return bytes
}

async function talk(index: number): Promise<boolean> {
  const socket = await dial()
  const word = `word ${index}`
  socket.write(word)
  await pause(300)
  socket.end()
  return (await readAll(socket)) === word.length
}

async function both(bytes: number): Promise<unknown> {
  const socket = await dial()
  const started = performance.now()
  const block = Buffer.alloc(1024 * 1024, 'x')
  const read = readAll(socket)
  for (let left = bytes; left > 0; left -= block.length) {
    if (!socket.write(block.subarray(0, Math.min(left, block.length)))) await once(socket, 'drain')
  }
  socket.end()
  return { bytes: await read, ms: performance.now() - started }
}

async function idle(ms: number): Promise<unknown> {
  const socket = await dial()
  const answers: string[] = []
  for (const word of ['first', 'second']) {
    socket.write(word)
    const [data]: unknown[] = await once(socket, 'data')
    answers.push(String(data))
    await pause(ms)
  }
  socket.end()
  return answers
}

const works: Readonly<Record<string, (amount: number) => Promise<unknown>>> = {
  both,
  idle,
  many: async count =>
    (await Promise.all(Array.from({ length: count }, (_, index) => talk(index)))).filter(Boolean).length,
}
console.log(JSON.stringify(await works[work]?.(Number(amount))))
