/** Programs that tests run as services: the text of Node modules. */

/**
 * Prints numbered lines, `rate` a second; asked over HTTP it returns its pid and how many it has printed. What a busy
 * machine made it miss it makes up for.
 */
export const printer = `
  import { createServer } from 'node:http'
  import { writeSync } from 'node:fs'
  const rate = Number(process.argv[2])
  const began = performance.now()
  let count = 0
  createServer((_, response) => response.end(JSON.stringify({ pid: process.pid, count })))
    .listen(Number(process.env.PORT), '127.0.0.1')
  setInterval(() => {
    const due = Math.min(Math.floor((performance.now() - began) / 1000 * rate), count + 1000)
    let text = ''
    for (let number = count; number < due; number++) text += number + ' ' + '.'.repeat(200) + '\\n'
    if (text !== '') writeSync(1, text)
    count = Math.max(count, due)
  }, 5)
`
