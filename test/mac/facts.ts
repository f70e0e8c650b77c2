import { join } from 'node:path'
import { processList } from '../lib/process-list.ts'
import { root } from '../lib/user.ts'
import { isMac, type Step } from './bench.ts'
import { webProject } from './projects.ts'

const native = join(root, 'build', 'native')

/** What machine it is, and what its programs say: texts that tests parse. */
export const facts: readonly Step[] = [
  {
    id: 'machine',
    title: 'the versions and limits of this machine',
    needs: 'nothing',
    async run(bench) {
      for (const [program, ...words] of [
        ['sw_vers'],
        ['uname', '-mrs'],
        ['csrutil', 'status'],
        ['sysctl', 'kern.tty.ptmx_max', 'kern.maxfilesperproc', 'kern.sysv', 'net.local.dgram', 'kern.argmax'],
        ['sh', '-c', 'ulimit -n; locale; getconf DARWIN_USER_TEMP_DIR | wc -c'],
        ['sh', '-c', 'ls -l /private/var/select/sh; sh --version | head -1'],
        ['df', '-T', 'apfs', '/'],
        ['sudo', '--version'],
      ] as const)
        await bench.record(program, words)
    },
  },
  {
    id: 'programs',
    title: 'the native programs are as macOS demands',
    needs: 'nothing',
    onlyMac: true,
    async run(bench) {
      for (const name of ['locald-keeper', 'locald-shim', 'locald-keychain']) {
        const { text } = await bench.record('otool', ['-l', join(native, name)])
        bench.expect(text.includes('LC_UUID'), `${name} has an LC_UUID`)
        await bench.record('codesign', ['-dv', join(native, name)])
      }
    },
  },
  {
    id: 'recordings',
    title: 'what ps, lsof and launchctl print is what is parsed',
    needs: 'nothing',
    async run(bench) {
      const box = bench.sandbox()
      const folder = box.project('recorded', webProject('recorded', 'env = { COLOUR = "blue" }'))
      await box.up(folder)
      const { pid } = await box.service(folder, 'web')
      const own = box.processes().map(process => process.pid)
      bench.expect(own.length >= 3, `daemon, keeper and service are found: ${own.length}`)
      const columns = ['pid', 'ppid', 'pgid', 'stat', 'tty', 'lstart', 'time', 'rss'].flatMap(it => ['-o', `${it}=`])
      await bench.record('env', ['LC_ALL=C', 'TZ=UTC', 'ps', '-ww', ...columns, '-p', own.join(',')])
      const variables = processList.environmentOf(pid ?? 0)
      bench.note(
        'environment of the service',
        variables.filter(it => /^(COLOUR|PORT|NOTIFY_SOCKET)=/.test(it)).join('\n'),
      )
      bench.expect(variables.includes('COLOUR=blue'), 'ps shows the environment of a service')
      const list = ['-w', '-nP', '+c', '0', '-a', '-p', own.join(','), '-iTCP', '-sTCP:LISTEN', '-Fpctn']
      const { text } = await bench.record('lsof', list)
      bench.expect(new RegExp(`^p${pid}$`, 'm').test(text), 'lsof shows the listener of the service')
      if (!isMac) return
      const { text: domain } = await bench.run('launchctl', ['print', `gui/${process.getuid?.()}`])
      // The rest names what the user runs.
      bench.note('launchctl print gui/UID', domain.split('\n').slice(0, 14).join('\n'))
    },
  },
]
