/** The shared worker: one hub for all tabs of a browser, so that the seventh still has a connection left over HTTP/1.1. */
import { Hub, type Tab } from './hub.ts'
import type { ToHub } from './messages.ts'

const hub = new Hub()

addEventListener('connect', event => {
  if (!(event instanceof MessageEvent)) return
  const [port] = event.ports
  if (port === undefined) return
  const tab: Tab = { send: message => port.postMessage(message) }
  port.addEventListener('message', ({ data }: MessageEvent<ToHub | { readonly lock: string }>) => {
    if ('lock' in data) void waitForClose(tab, data.lock)
    else hub.accept(tab, data)
  })
  port.start()
})

/** Waits until a tab's lock is free: it was closed, or crashed, without a word. */
async function waitForClose(tab: Tab, lock: string): Promise<void> {
  await navigator.locks.request(lock, () => hub.accept(tab, { type: 'bye' }))
}
