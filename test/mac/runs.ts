import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { root } from '../lib/user.ts'
import type { Bench, Step } from './bench.ts'
import { webProject } from './projects.ts'

const keeper = join(root, 'build', 'native', 'locald-keeper')

/** Runs one of CI's scripts, whose last line has its counts. */
async function script(bench: Bench, name: string): Promise<void> {
  const { code, text } = await bench.record('bash', [join(root, '.ci', name), '--sandbox'], 300_000)
  bench.expect(code === 0, `.ci/${name}: ${text.trim().split('\n').at(-1)}`)
}

/** Services with and without a terminal, from their start to their stop. */
export const runs: readonly Step[] = [
  {
    id: 'keeper',
    title: 'a keeper gives a program a terminal of the requested size, twenty times',
    needs: 'nothing',
    async run(bench) {
      const log = join(bench.sandbox().home, 'keeper.log')
      for (let at = 0; at < 20; at++) {
        const words = ['run', '--tty', '80x24', '--log', log, '--', 'sh', '-c', 'tty; stty size; echo hi']
        const { code, text } = await bench.run(keeper, words, 10_000)
        bench.expect(code === 0, `run ${at}: ${code}: ${text}`)
      }
      const said = readFileSync(log, 'utf8')
      bench.note('its log', said.split('\n').slice(0, 8).join('\n'))
      bench.expect(said.split(' hi\n').length === 21, 'no output is lost')
      bench.expect(said.split(' 24 80\n').length === 21, 'the size is 24 rows of 80')
    },
  },
  {
    id: 'times',
    title: 'a project is up in a moment, with a terminal and without, the first time and the next',
    needs: 'nothing',
    async run(bench) {
      const box = bench.sandbox()
      for (const [name, tty] of [
        ['terminal', true],
        ['pipes', false],
      ] as const) {
        const folder = box.project(name, webProject(name, `tty = ${tty}`))
        for (const time of ['first', 'second']) {
          const begun = performance.now()
          await box.up(folder)
          bench.note(`${time} up, ${name}`, `${Math.round(performance.now() - begun)} ms`)
          bench.expect((await box.get(`${name}.localhost`)).body === 'hi', `${name} answers`)
          await box.ok(['stop'], { cwd: folder })
        }
      }
    },
  },
  {
    id: 'integration',
    title: 'the requirement’s own steps',
    needs: 'nothing',
    onlyMac: true,
    run: bench => script(bench, 'integration'),
  },
  {
    id: 'reaping',
    title: 'a runtime folder that macOS has emptied heals',
    needs: 'nothing',
    onlyMac: true,
    run: bench => script(bench, 'reaping'),
  },
  {
    id: 'wildcard',
    title: 'a port that another program has of all addresses is left to it',
    needs: 'nothing',
    async run(bench) {
      const other = createServer((_, answer) => answer.end('other')).listen(0, '0.0.0.0')
      await once(other, 'listening')
      bench.teardown(() => other.close())
      const address = other.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const box = bench.sandbox({ env: { LOCALD_HTTP_PORT: String(port) } })
      const started = await box.run(['server', 'start'])
      bench.note('server start', `${started.code} ${started.stdout}${started.stderr}`)
      const { text } = await bench.run('curl', ['-s', '--max-time', '5', `http://127.0.0.1:${port}/`])
      bench.expect(text === 'other', `the other program is still reached: ${text.slice(0, 100)}`)
    },
  },
]
