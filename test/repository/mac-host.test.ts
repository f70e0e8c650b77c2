/** What the tests are on a Mac: this process says that it is on one. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { onlyLinux } from '../lib/machine.ts'
import { endsOf } from '../requirement/ran.ts'

const suite = fileURLToPath(new URL('../e2e/suite.js', import.meta.url))
const script = `
  Object.defineProperty(process, 'platform', { value: 'darwin' })
  const { on, onEach, onHost } = await import(${JSON.stringify(suite)})
  const asMac = async (t, machine) => t.equal(machine.os, 'darwin')
  onEach('each', asMac)
  onHost('host', asMac)
  on('darwin', 'mac', asMac)
  on('linux', 'linux', () => { throw new Error('not here') })
`

t.test(
  'on a Mac each test runs once, and Linux tests are skipped',
  { skip: onlyLinux('a Mac shows it without that') },
  async t => {
    const clean = ['-i', `PATH=${process.env['PATH']}`, process.execPath, '--input-type=module', '-e', script]
    const { stdout, stderr } = spawnSync('env', clean, { encoding: 'utf8' })
    const ends = [...endsOf(stdout)].filter(([name]) => !name.includes(' > '))
    t.strictSame(
      ends,
      [
        ['each (darwin)', 'passed'],
        ['host (darwin)', 'passed'],
        ['mac (darwin)', 'passed'],
        ['linux (linux)', 'skipped'],
      ],
      stderr,
    )
    t.match(stdout, '# SKIP only on Linux: ')
  },
)
