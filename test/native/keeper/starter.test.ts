/** `locald-keeper starter`: what it starts, what it rejects, how it exits. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ControlConnection, eachVariant, isAlive, makeFolder, removeFolder } from '../../lib/keeper.ts'
import { type Variant, variants } from '../../lib/keeper-programs.ts'
import { until } from '../../lib/running.ts'

const { release, asan, xnu } = variants()

/** A starter in a folder of its own. */
class Rig {
  readonly dir = makeFolder()
  readonly path = join(this.dir, 'starter')
  readonly process: ChildProcess
  readonly #exited: Promise<unknown[]>

  private constructor(t: Test, variant: Variant) {
    this.process = spawn(variant.path, ['starter', this.path], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#exited = once(this.process, 'exit')
    t.teardown(async () => {
      await this.end()
      removeFolder(this.dir)
    })
  }

  static async start(t: Test, variant: Variant): Promise<Rig> {
    const rig = new Rig(t, variant)
    if (rig.process.stdout === null) throw new Error('no output')
    await once(rig.process.stdout.resume(), 'close')
    return rig
  }

  ask(dir: string, words: readonly string[], variables: readonly string[]): Promise<ControlConnection> {
    const body = [dir, ...words, ...variables].map(text => `${text}\0`).join('')
    return this.raw([Buffer.byteLength(body), words.length, variables.length], body)
  }

  async raw(head: readonly [number, number, number], body: string): Promise<ControlConnection> {
    const socket = createConnection(this.path)
    await once(socket, 'connect')
    const numbers = Buffer.alloc(12)
    for (const [index, number] of head.entries()) numbers.writeUInt32LE(number, index * 4)
    socket.write(Buffer.concat([numbers, Buffer.from(body)]))
    return new ControlConnection(socket)
  }

  /** Its exit code. */
  async end(): Promise<unknown> {
    this.process.stdin?.end()
    return (await this.#exited)[0]
  }
}

eachVariant(t, [asan, release, xnu], (t, variant) => {
  t.test('programs get their folder, words, environment and descriptor 3', async t => {
    const rig = await Rig.start(t, variant)
    const script = 'printf \'{"event":"said","text":"%s"}\\n\' "$(pwd) $1 $2 $(env | grep -c .) $GREETING" >&3'
    const line = await rig.ask(rig.dir, ['/bin/sh', '-c', script, 'sh', '', "a'b"], ['GREETING=hallo', 'EMPTY='])
    const { text } = await line.next('said')
    // PWD and OLDPWD or _ are the shell's own.
    t.match(text, new RegExp(`^${realpathSync(rig.dir)}  a'b \\d hallo$`))
  })

  t.test('a keeper started by it outlives it', async t => {
    const rig = await Rig.start(t, variant)
    const words = [
      variant.path,
      'run',
      '--log',
      join(rig.dir, 'log'),
      '--',
      '/bin/sh',
      '-c',
      'echo here; exec sleep 1000',
    ]
    const line = await rig.ask(rig.dir, words, ['PATH=/usr/bin:/bin'])
    const { pid } = await line.next('started')
    await rig.end()
    t.ok(isAlive(Number(pid)))
    await until('its line', () => readFileSync(join(rig.dir, 'log'), 'utf8').endsWith('\n'))
    line.send('stop 9 0')
    t.match(await line.next('exit'), { code: null, signal: 'SIGKILL' })
    t.match(readFileSync(join(rig.dir, 'log'), 'utf8'), / stdout F here\n$/)
  })

  t.test('reports what it cannot start', async t => {
    const rig = await Rig.start(t, variant)
    t.match(await (await rig.ask(rig.dir, ['/no/such'], [])).next('failed'), { step: 'exec', errno: 2 })
    t.match(await (await rig.ask(join(rig.dir, 'none'), ['/usr/bin/true'], [])).next('failed'), {
      step: 'folder',
      errno: 2,
    })
    const heads: readonly (readonly [number, number, number])[] = [
      [2 ** 32 - 1, 1, 0],
      [3, 0, 0],
      [3, 2 ** 31, 2 ** 31],
      [3, 1, 65_536],
      [3, 3, 3],
      [3, 1, 0],
    ]
    for (const head of heads)
      t.match(await (await rig.raw(head, '/\0x')).next('failed'), { step: 'request' }, `${head}`)
    t.match(await (await rig.raw([5, 1, 0], '/\0x\0y')).next('failed'), { step: 'request' }, 'more than it says')
    t.match(await (await rig.ask(rig.dir, ['/no/such'], [])).next('failed'), { step: 'exec' }, 'it goes on')
  })

  t.test('is private, leaves no zombies and exits with its input', async t => {
    const rig = await Rig.start(t, variant)
    t.equal(statSync(rig.path).mode & 0o777, 0o600)
    const all = await Promise.all(Array.from({ length: 20 }, () => rig.ask('/', ['/usr/bin/true'], [])))
    await until('their end', () => all.every(({ closed }) => closed))
    if (process.platform === 'linux') {
      const children = `/proc/${rig.process.pid}/task/${rig.process.pid}/children`
      if (existsSync(children)) await until('no children', () => readFileSync(children, 'utf8') === '')
    }
    t.equal(await rig.end(), 0)
    t.notOk(existsSync(rig.path))
  })
})
