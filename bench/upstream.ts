/**
 * `node upstream.js PORT`: the upstream for connections that stay open. It echoes WebSocket messages; `/live/events` is
 * an event stream with one delayed event, the time at which it was written in nanoseconds of the monotonic clock, which
 * all processes share. Any other path gets itself as the response.
 */
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { WebSocketServer } from 'ws'

const server = createServer(async (req, res) => {
  if (req.url !== '/live/events') return void res.end(req.url)
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  res.flushHeaders()
  await setTimeout(50)
  res.write(`data: ${process.hrtime.bigint()}\n\n`)
})
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', socket => {
  socket.on('message', data => socket.send(data))
})
server.listen(Number(process.argv[2]), '127.0.0.1')
