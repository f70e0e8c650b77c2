import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../lib/running.ts'
import { isMac, type Step } from './bench.ts'
import { workerProject } from './projects.ts'

/** Files that are not watched. */
const crowd = isMac ? 12_000 : 500

/** The file system: names in another case, watching, copies. */
export const files: readonly Step[] = [
  {
    id: 'case',
    title: 'a project is found by a path in another case, where the volume takes that',
    needs: 'nothing',
    async run(bench) {
      const box = bench.sandbox()
      const folder = box.project('Case', workerProject('cased'))
      const other = join(box.home, 'case')
      const isFolding = existsSync(other)
      bench.note('case', isFolding ? 'folded' : 'kept')
      await box.up(folder)
      if (!isFolding) return
      const view = await box.service(other, 'job')
      bench.expect(view.status === 'running', 'status from the other path shows the service')
      await box.ok(['stop'], { cwd: other })
      bench.expect((await box.service(folder, 'job')).status === 'stopped', 'so does a stop')
    },
  },
  {
    id: 'watch',
    title: `a pattern beside ${crowd} other files takes few descriptors, and sees a change`,
    needs: 'nothing',
    async run(bench) {
      const box = bench.sandbox()
      const folder = box.project('watched', { ...workerProject('watched', 'watch = ["**/*.go"]'), 'a.go': '' })
      mkdirSync(join(folder, 'icons'))
      for (let at = 0; at < crowd; at++) writeFileSync(join(folder, 'icons', `${at}.svg`), '')
      await box.up(folder)
      const { pid: daemon } = await box.server()
      const { text } = await bench.run('lsof', ['-w', '-nP', '-p', String(daemon), '-Ff'])
      const open = text.split('\n').filter(line => /^f\d/.test(line)).length
      bench.note('descriptors of the daemon', String(open))
      bench.expect(open > 0 && open < 200, `${open} descriptors`)
      const { pid } = await box.service(folder, 'job')
      const begun = performance.now()
      box.write(join(folder, 'a.go'), 'package a')
      await until('a restart', async () => (await box.service(folder, 'job')).pid !== pid, 20_000)
      bench.note('a change is seen after', `${Math.round(performance.now() - begun)} ms`)
    },
  },
  {
    id: 'clone',
    title: 'a copy of a large file takes no room',
    needs: 'nothing',
    onlyMac: true,
    async run(bench) {
      const { home } = bench.sandbox()
      mkdirSync(join(home, 'large'))
      writeFileSync(join(home, 'large', 'file'), Buffer.alloc(500_000_000, 'x'))
      const free = async () => (await bench.record('df', ['-k', home])).text
      await free()
      const copied = await bench.record('cp', ['-c', '-R', '-p', join(home, 'large'), join(home, 'copy')])
      bench.expect(copied.code === 0 && copied.ms < 2000, `cp -c took ${copied.ms} ms`)
      await free()
    },
  },
  {
    id: 'postgres',
    title: 'a managed PostgreSQL starts, and a branch of it is made',
    needs: 'nothing',
    // Of the daemon's machine, not of this one, are the binaries that it would take.
    onlyMac: true,
    async run(bench) {
      const box = bench.sandbox()
      const folder = box.project('data', {
        'locald.toml': '[project]\nname = "data"\n[services.db]\ntype = "postgres"\n',
      })
      await box.ok(['up', '--json'], { cwd: folder, limitMs: 300_000 })
      await bench.record('ipcs', ['-m'])
      const begun = performance.now()
      await box.ok(['db', 'branch', 'feature'], { cwd: folder, limitMs: 120_000 })
      bench.note('db branch', `${Math.round(performance.now() - begun)} ms`)
      bench.note('files in the home', String(readdirSync(box.home, { recursive: true }).length))
      bench.expect(statSync(box.home).isDirectory(), 'the home is there')
    },
  },
]
