import type { LogLine } from '../../kernel/events.ts'
import type { LogSearchLine } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { ask } from '../lib/raw-http.ts'
import { until } from '../lib/running.ts'
import { onHost } from './suite.ts'

/** Lines of each level: two of them coloured, one overwritten, one of stderr without any word for its level. */
const printer = `console.log('debug: cache of orders')
console.log('GET /orders 200')
console.log('\\x1b[33mWARN\\x1b[0m orders are slow')
console.log('\\x1b[31merr\\x1b[0mor: no orders')
console.log('fatal orders\\rall orders are there')
for (let n = 0; n < 4000; n++) console.log((n % 1000 === 0 ? 'error ' : 'line ') + n + ' ' + '.'.repeat(100))
console.error('orders, on stderr')
setInterval(() => {}, 1e6)`

onHost(
  'searching logs over the API',
  async (t, machine) => {
    const sandbox = machine.sandbox()
    const { socket } = resolvePaths({ env: sandbox.env })
    const path = sandbox.project('shop', {
      'locald.toml': `[project]\nname = "shop"\n[services.api]\ntype = "worker"\ntty = false\ncommand = "exec ${process.execPath} print.js"\n`,
      'print.js': printer,
    })
    await sandbox.up(path)
    const request = async (query: Readonly<Record<string, string>>) =>
      await ask({ path: socket }, `/v1/logs/search?${new URLSearchParams({ path, ...query })}`)
    const search = async (query: Readonly<Record<string, string>>) => {
      const { status, body } = await request(query)
      t.equal(status, 200, body)
      const answer = body
        .trimEnd()
        .split('\n')
        .map((line): LogSearchLine => JSON.parse(line))
      return { answer, found: answer.flatMap(line => ('match' in line ? textOf(line.match) : [])) }
    }
    for (const last of ['on stderr', 'line 3999'])
      await until(`the line '${last}'`, async () => (await search({ text: last })).found.length > 0)
    const orders = {
      debug: 'debug: cache of orders',
      info: ['GET /orders 200', 'all orders are there'],
      warn: ['WARN orders are slow', 'orders, on stderr'],
      error: 'error: no orders',
    }

    await t.test('a level selects its lines and graver ones', async t => {
      const all: readonly string[] = Object.values(orders).flat()
      for (const [level, from] of [
        ['debug', 0],
        ['info', 1],
        ['warn', 3],
        ['error', 5],
      ] as const) {
        const { found, answer } = await search({ text: 'orders', level })
        t.strictSame(found.toSorted(), all.slice(from).toSorted(), level)
        t.match(answer.at(-1), { done: { matches: found.length, isComplete: true } }, 'progress counts these alone')
      }
      const byRegex = await search({ text: 'ORDERS$', regex: 'true', level: 'error' })
      t.strictSame(byRegex.found, ['error: no orders'])
    })

    await t.test('a level alone is enough; the limit counts its lines', async t => {
      const { found, answer } = await search({ level: 'error' })
      t.strictSame(found, [3000, 2000, 1000, 0].map(n => `error ${n} ${'.'.repeat(100)}`).concat('error: no orders'))
      t.ok(
        answer.some(line => 'progress' in line),
        'there is progress before the end',
      )
      const limited = await search({ level: 'error', limit: '2' })
      t.equal(limited.found.length, 2)
      t.match(limited.answer.at(-1), { done: { matches: 2, isComplete: false } })
    })

    await t.test('without a text or a level, and with a wrong level, it is refused', async t => {
      const nothing = await request({})
      t.equal(nothing.status, 400)
      t.match(JSON.parse(nothing.body), { error: { code: 'USAGE', message: 'nothing to search for' } })
      t.equal((await request({ text: 'orders', level: 'fatal' })).status, 400)
    })

    await t.test('the document of the API names the levels', async t => {
      const document = JSON.parse((await ask({ path: socket }, '/v1/openapi.json')).body)
      const parameters: readonly { readonly name: string; readonly schema: object }[] =
        document.paths['/v1/logs/search'].get.parameters
      t.strictSame(parameters.find(({ name }) => name === 'level')?.schema, {
        type: 'string',
        enum: ['debug', 'info', 'warn', 'error'],
      })
    })
  },
  { timeout: 60_000 },
)

/** What the reader sees; the search returns lines as they were printed. */
function textOf({ text }: LogLine): string {
  return text.replace(/^.*\r/, '').replaceAll(/\x1b\[\d*m/g, '')
}
