import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Asks a port of this machine under a name. */
export function fetchFrom(port: number, host: string, path: string, headers = {}): Promise<Answer> {
  return ask({ host: '127.0.0.1', port, path, headers: { host: `${host}:${port}`, ...headers } })
}

/** Asks the daemon at its Unix socket. */
export function askDaemon(socketPath: string, path: string): Promise<Answer> {
  return ask({ socketPath, path, headers: { host: 'localhost' } })
}

function ask(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ ...options, agent: false })
    asking.setTimeout(30_000, () => asking.destroy(new Error(`no answer from ${options.path}`)))
    asking.once('error', reject)
    asking.once('response', response => {
      let body = ''
      response.setEncoding('utf8').on('data', text => {
        body += text
      })
      response.once('error', reject)
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    asking.end()
  })
}
