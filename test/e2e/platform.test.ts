import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { onlyLinux } from '../lib/machine.ts'
import { until } from '../lib/running.ts'
import { on } from './suite.ts'

const trace = ['strace', '-ff', '-qq', '-e', 'trace=execve,open,openat,openat2,readlink,readlinkat,stat,prctl', '-o']
const skip = { skip: onlyLinux('strace') || (spawnSync('strace', ['-V']).status !== 0 && 'needs strace') }

/** What Node itself does at its start and for `os.uptime()`, whatever runs in it. */
const bare = `require('node:os').uptime(); require('node:net').createServer().listen(0).close()`

on(
  'darwin',
  'with LOCALD_PLATFORM=darwin nothing reads /proc, uses a cgroup or is a subreaper',
  async (t, machine) => {
    const box = machine.sandbox()
    const folder = box.project('mac', {
      'locald.toml': `
        [project]
        name = "mac"
        [services.web]
        command = "exec ${process.execPath} web.mjs"
        tty = false
        [services.job]
        type = "worker"
        command = "sleep 100001 & exec sleep 100003"
      `,
      'web.mjs': `
        import { createServer } from 'node:http'
        createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1')
      `,
    })
    const traced = async (name: string, argv: readonly string[]) => {
      const place = join(box.home, name)
      spawnSync('mkdir', [place])
      box.own(place)
      const ran = await box.spawn([...trace, join(place, 'of'), ...argv], { cwd: folder, limitMs: 100_000 }).done
      return { ran, calls: callsIn(place) }
    }
    const node = await traced('node', [process.execPath, '-e', bare])
    // The last is malloc's, when it gives a thread's memory back.
    const own = new Set([...node.calls.flatMap(({ touched }) => touched), '/proc/sys/vm/overcommit_memory'])
    t.ok(own.size > 0, 'Node itself does')
    // The daemon is a child of the first command, and so are all that it starts: strace exits when they have.
    const whole = traced('locald', [process.execPath, box.main, 'server', 'start'])
    await until('the daemon to listen', async () => (await box.run(['ping'])).code === 0, 60_000)
    await box.up(folder, [], { limitMs: 100_000 })
    const [web] = await box.status(folder)
    t.equal((await box.get('mac.localhost')).body, 'ok')
    for (const words of [['restart', 'job'], ['doctor'], ['logs'], ['stop'], ['server', 'shutdown']])
      await box.run(words, { cwd: folder, limitMs: 100_000 })
    const { calls } = await whole
    const programs = new Set(calls.map(({ program }) => program))
    for (const program of ['node', 'locald-keeper', 'ps', 'lsof'])
      t.ok(programs.has(program), `${program} was seen at work`)
    t.ok(web?.pid, 'a service ran')
    // The keeper's own calls are refused there; what imitates the kernel for it has to look.
    const daemons = calls.filter(({ program }) => program === 'node')
    t.same(
      [...new Set(daemons.flatMap(({ touched }) => touched.filter(path => !own.has(path))))],
      [],
      'the daemon does not look into /proc or at cgroups',
    )
    t.notOk(
      calls.some(({ isSubreaper }) => isSubreaper),
      'no process becomes a subreaper',
    )
  },
  { ...skip, timeout: 300_000 },
)

/** What one program did in one process: what it touched of the kernel's file systems. */
interface Calls {
  readonly program: string
  readonly touched: readonly string[]
  readonly isSubreaper: boolean
}

/**
 * strace's files, one a process or thread. A thread and a fork do as the program that made them: they are identified by
 * the name of its file.
 */
function callsIn(folder: string): readonly Calls[] {
  return readdirSync(folder).flatMap(name => {
    const parts = readFileSync(join(folder, name), 'utf8').split(/^(?=execve\(.* = 0$)/m)
    return parts.map(part => ({
      program: /^execve\("(?:[^"]*\/)?([^"/]+)", .* = 0$/m.exec(part)?.[1] ?? 'node',
      touched: [...part.matchAll(/"(\/(?:proc|sys\/fs\/cgroup)\b[^"]*)"/g)].flatMap(([, path]) => path ?? []),
      isSubreaper: part.includes('PR_SET_CHILD_SUBREAPER'),
    }))
  })
}
