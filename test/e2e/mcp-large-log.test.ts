import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { McpClient, mostBytes, type ToolAnswer } from '../lib/mcp.ts'
import { Sandbox } from '../lib/sandbox.ts'

const isNightly = process.env['LOCALD_NIGHTLY'] === '1'
const bytes = isNightly ? 1e9 : 4e7
/** Of every answer; other tests run beside this one in CI. */
const limitMs = isNightly ? 300 : 2000

/** Writes a log of many lines that differ in numbers, with one odd one near its end. Returns the number of lines. */
function fill(file: string): number {
  const output = openSync(file, 'w')
  const startMs = Date.now() - 3_600_000
  let count = 0
  const lines = (many: number, odd = -1) => {
    const text = Array.from({ length: many }, (_, n) => {
      const time = new Date(startMs + count / 4).toISOString().replace('Z', '000Z')
      const id = ((count * 2_654_435_761) >>> 0).toString(16)
      const status = n === odd ? 503 : 200
      count += 1
      return `${time} stdout F GET /health ${status} in ${count % 97} ms, request ${id} of 漢字 in 10.0.0.${count % 250} ${'.'.repeat(40)}\n`
    })
    return Buffer.from(text.join(''))
  }
  for (let left = bytes; left > 0; ) {
    const block = lines(20_000)
    left -= block.length
    writeSync(output, block)
  }
  writeSync(output, lines(3000, 2200))
  closeSync(output)
  return count
}

t.test('answers from a large log are short and quick, the odd line first', async t => {
  const sandbox = new Sandbox(t, { user: 'self' })
  const folder = sandbox.project('shop', {
    'locald.toml': '[project]\nname = "shop"\n[services.web]\ntype = "worker"\ncommand = "exec sleep 200700"\n',
  })
  const agent = await McpClient.start(t, sandbox, folder)
  await agent.call('up')
  const count = fill(join(resolvePaths({ env: sandbox.env }).data, 'logs', 'shop', 'web', 'log'))
  t.ok(count > bytes / 200)
  // What is repeated takes the best of three: a busy machine delays any answer.
  const take = async (name: string, args: object = {}, tries = 3): Promise<ToolAnswer> => {
    const answer = await agent.call(name, { ...args })
    if (answer.ms >= limitMs && tries > 1) return await take(name, args, tries - 1)
    const what = `${name} ${JSON.stringify(args)}: ${Math.round(answer.ms)} ms, ${answer.bytes} bytes`
    t.ok(answer.ms < limitMs && answer.bytes < mostBytes && !answer.isError, what)
    return answer
  }
  const { text } = await agent.call('logs')
  const lines = text.split('\n')
  t.match(lines.slice(2, 12).join('\n'), /GET \/health 503/, 'the odd line is among the first ten')
  t.match(text, /\d+ × \S+ web \| GET \/health 200/)
  t.match(text, /^2000 lines, folded to \d+ kinds \(the latest; older ones with `until` \S+\)/m)
  t.match((await take('logs')).text, /No lines new since/)
  const other = await McpClient.start(t, sandbox, folder)
  t.ok((await other.call('logs')).ms < 3 * limitMs, 'the first call of a new process')
  t.match((await take('logs', { until: '30m' })).text, /^2000 lines/m)
  const raw = await take('logs', { raw: true })
  await take('logs', { cursor: raw.data['cursor'] })
  t.match((await take('logs', { grep: 'health 503' })).text, /^1 lines[\s\S]*GET \/health 503/m)
  await take('logs', { level: 'error' })
  await take('logs', { grep: 'never written' })
  const wide = await agent.call('logs', { grep: 'never written', seconds: 0.5 })
  t.match(wide.text, /^No lines(?: \(searched \S+ of \S+; older ones with `until` \S+, or more with `seconds`\))?$/m)
  for (const name of ['status', 'why', 'requests']) await take(name)
})
