import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'

/** What came of all requests. */
export interface RequestCount {
  answered: number
  /** While what they went to was really stopped. */
  excused: number
  readonly failures: string[]
}

/**
 * Sends requests to one name through the proxy, one after the other, every third with a body; one that fails is a
 * failure unless excused.
 */
export class Requests {
  readonly #host: string
  readonly #port: number
  readonly #count: RequestCount
  /** Stops that are going on, and how many there have been. */
  #stops = 0
  #stopped = 0
  #isStopped = false

  constructor(host: string, port: number, count: RequestCount) {
    this.#host = host
    this.#port = port
    this.#count = count
  }

  /** Excuses what is under way, or begun, until the result is called. */
  excuse(): () => void {
    this.#stops++
    this.#stopped++
    return () => {
      this.#stops--
    }
  }

  end(): void {
    this.#isStopped = true
  }

  async run(): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let number = 0; !this.#isStopped; number++) {
      const body = number % 3 === 0 ? 'x'.repeat(100_000) : ''
      const stopped = this.#stopped
      const wrong = await send(agent, this.#port, this.#host, body)
      if (wrong === undefined) this.#count.answered++
      else if (this.#stops > 0 || this.#stopped !== stopped) this.#count.excused++
      else this.#count.failures.push(`${new Date().toISOString()} ${this.#host} ${wrong}`)
      await setTimeout(wrong === undefined ? 20 : 100)
    }
    agent.destroy()
  }
}

/** What went wrong, or undefined. */
function send(agent: Agent, port: number, host: string, body: string): Promise<string | undefined> {
  return new Promise(resolve => {
    const sent = request({
      host: '127.0.0.1',
      port,
      agent,
      method: body === '' ? 'GET' : 'POST',
      headers: { host, 'content-length': body.length },
    })
    sent.setTimeout(20_000, () => sent.destroy(new Error('no answer in 20 s')))
    // A connection kept open may be closed by the other side at any time (RFC 9112, 9.5).
    sent.once('error', error =>
      resolve(sent.reusedSocket && body === '' ? send(agent, port, host, body) : error.message),
    )
    sent.once('response', response => {
      let text = ''
      response.setEncoding('utf8').on('data', part => {
        text += part
      })
      response.once('error', error => resolve(error.message))
      response.once('end', () => {
        const isRight = response.statusCode === 200 && text === String(body.length)
        resolve(isRight ? undefined : `${response.statusCode} ${text.replaceAll(/\s+/g, ' ').slice(0, 200)}`)
      })
    })
    sent.end(body)
  })
}
