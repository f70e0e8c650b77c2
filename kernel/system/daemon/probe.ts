import { connect } from 'node:net'
import { mayRun, readAddress } from '../daemon-address.ts'
import type { Paths } from '../paths.ts'
import { isClaimedByOther } from '../runtime-claim.ts'

/** The deadline of an answer, which a daemon gives from memory: ms. */
const answerMs = 2000
/** How long a daemon may take to bind a deleted socket again: ms. */
const bindMs = 2000
/** The pause between two tries: ms. */
const stepMs = 50

/**
 * Whether another daemon serves this data folder although the lock was free, because the lock's file was deleted. That
 * daemon keeps its address in the data folder.
 */
export async function hasOtherDaemon({ data }: Pick<Paths, 'data'>): Promise<boolean> {
  const place = readAddress(data)
  if (place === undefined || place.pid === process.pid || isClaimedByOther(place.runtime, data)) return false
  const end = performance.now() + bindMs
  for (;;) {
    if ((await ping(place.socket)).includes(`"pid":${place.pid},`)) return true
    if (!mayRun(data, place) || performance.now() > end) return false
    await new Promise(resolve => setTimeout(resolve, stepMs))
  }
}

function ping(path: string): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = connect(path, () =>
      socket.write('GET /v1/ping HTTP/1.1\r\nhost: locald\r\nconnection: close\r\n\r\n'),
    )
    const late = setTimeout(() => socket.destroy(), answerMs)
    socket.on('data', piece => {
      text += String(piece)
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      clearTimeout(late)
      resolve(text)
    })
  })
}
