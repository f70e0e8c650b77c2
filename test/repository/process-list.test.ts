import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { onlyLinux } from '../lib/machine.ts'
import { proc, tools } from '../lib/process-list.ts'

/** A program that says that it runs, and waits; one of Node's, as macOS hides the environment of its own. */
const waiter = 'setInterval(() => {}, 1e6); console.log("up")'

async function start(t: Test, words: readonly string[], cwd = '/', more = {}): Promise<ChildProcess & { pid: number }> {
  const [program = '', ...args] = words
  const env = { PATH: process.env['PATH'], ...more }
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const { pid } = child
  if (pid === undefined) throw new Error('no pid')
  return Object.assign(child, { pid })
}

for (const { name, list, skip } of [
  { name: 'by /proc', list: proc, skip: onlyLinux('reads /proc') },
  { name: 'by ps and lsof', list: tools, skip: false },
]) {
  t.test(`processes ${name}`, { skip }, async t => {
    const root = mkdtempSync(join(tmpdir(), 'locald-list-'))
    t.teardown(() => rmSync(root, { recursive: true, force: true }))
    const at = (folder: string) => {
      mkdirSync(join(root, folder))
      return join(root, folder)
    }
    const node = [process.execPath, '-e', waiter]

    await t.test('finds processes by a folder in their arguments', async t => {
      const folders = { words: at('words'), environment: at('environment'), cwd: at('cwd'), file: at('file') }
      const script = `exec 9>"${folders.file}/open"; echo up; exec sleep 1000`
      const found = {
        words: await start(t, [...node, folders.words]),
        environment: await start(t, node, '/', { FOLDER: folders.environment }),
        cwd: await start(t, node, folders.cwd),
        // exec replaces the shell's arguments, which name it.
        file: await start(t, ['sh', '-c', script]),
      }
      for (const key of ['words', 'environment', 'cwd', 'file'] as const) {
        const pids = list.naming(folders[key]).map(({ pid }) => pid)
        t.strictSame(pids, [found[key].pid], key)
      }
      t.match(list.naming(folders.cwd)[0]?.command, /console\.log/)
      t.strictSame(list.naming(join(root, 'none')), [])
      const { environment } = found
      t.ok(list.environmentOf(environment.pid).includes(`FOLDER=${folders.environment}`))
      environment.kill('SIGKILL')
      await once(environment, 'close')
      t.strictSame(list.naming(folders.environment), [], 'until they end')
      t.strictSame(list.environmentOf(environment.pid), [])
    })

    await t.test('reports parents and liveness, and no zombies', async t => {
      const child = await start(t, node)
      t.ok(list.isAlive(child.pid))
      t.equal(list.parentOf(child.pid), process.pid)
      child.kill('SIGKILL')
      await once(child, 'close')
      t.notOk(list.isAlive(child.pid))
      t.ok(Number.isNaN(list.parentOf(child.pid)))
      // What replaces the shell does not wait for the shell's child, which prints its pid and exits.
      const folder = at('zombie')
      const parent = spawn('sh', ['-c', 'sh -c \'echo $$\' "$0" & exec sleep 1000', folder], { cwd: folder })
      t.teardown(() => parent.kill('SIGKILL'))
      const [text] = await once(parent.stdout, 'data')
      const zombie = Number(String(text))
      for (const end = Date.now() + 10_000; list.isAlive(zombie) && Date.now() < end; )
        await new Promise(wake => setTimeout(wake, 20))
      t.notOk(list.isAlive(zombie))
      t.doesNotThrow(() => process.kill(zombie, 0), 'it is still there')
      t.notOk(list.naming(folder).some(({ pid }) => pid === zombie))
      t.ok(list.naming(folder).some(({ pid }) => pid === parent.pid))
    })
  })
}
