import { connect } from 'node:net'
import { isOthers, mayRun, readPlace } from './daemon-place.ts'
import type { Paths } from './paths.ts'

/** A daemon answers from memory: ms. */
const answerMs = 2000
/** One whose socket was removed has bound it again after so long: ms. */
const bindMs = 2000
/** Between two tries: ms. */
const stepMs = 50

/**
 * Whether another daemon serves this data folder although its lock could be had, as the lock's file was removed: that daemon keeps its
 * place written in the data folder.
 */
export async function isServed({ data }: Pick<Paths, 'data'>): Promise<boolean> {
  const place = readPlace(data)
  if (place === undefined || place.pid === process.pid || isOthers(place.runtime, data)) return false
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
