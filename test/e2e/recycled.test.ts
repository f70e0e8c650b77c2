import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onlyLinux } from '../lib/machine.ts'
import { Running } from '../lib/running.ts'
import { onEach } from './suite.ts'

/** A shell is process 1 there: it reaps what has lost its parent, so that pids become free. */
const program = 'unshare'
const words = ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', '"$@"; exit $?', 'sh']
const isPossible = existsSync('/proc/sys/kernel/ns_last_pid') && spawnSync(program, [...words, 'true']).status === 0
const skip = { skip: onlyLinux('pid namespaces') || (!isPossible && 'needs root and pid namespaces') }

onEach(
  'reused pids of the daemon, the keeper and the service are left alone',
  async (t, machine) => {
    const script = join(dirname(fileURLToPath(import.meta.url)), 'recycle.js')
    const env = { PATH: process.env['PATH'] }
    const child = spawn(program, [...words, process.execPath, '--enable-source-maps', script, machine.os], { env })
    const ran = await new Running(child, 100_000).done
    t.equal(ran.code, 0, ran.stderr)
    const report = JSON.parse(ran.stdout)
    t.equal(report.pids[0], report.keeper, 'the strangers have the pids')
    t.equal(report.pids[1], report.main)
    t.equal(report.status, 'failed', 'the service was judged as crashed')
    const all = [true, true, true, true]
    t.same(report.steps, { adopted: all, stopped: all, restarted: all, 'shut down': all }, 'and live')
  },
  skip,
)
