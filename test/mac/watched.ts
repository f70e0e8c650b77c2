import type { DoctorAnswer } from '../../kernel/protocol.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import type { Step } from './bench.ts'
import { webProject, workerProject } from './projects.ts'

/** What somebody has to look at. */
export const watched: readonly Step[] = [
  {
    id: 'sleep',
    title: 'services live through a sleep of the machine',
    needs: 'person',
    onlyMac: true,
    async run(bench) {
      const box = bench.sandbox()
      const folder = box.project('sleeper', webProject('sleeper', 'health_check = { type = "http", path = "/" }'))
      await box.up(folder)
      const before = await box.service(folder, 'web')
      await bench.ask('Let the Mac sleep for some minutes (Apple menu, Sleep), wake it, then press Return.')
      await bench.pause(5000)
      const after = await box.service(folder, 'web')
      bench.note('before and after', JSON.stringify([before, after], null, 2))
      bench.expect(after.pid === before.pid && after.health === 'healthy', 'the same process, healthy')
      bench.note('log', (await box.logs(folder)).map(({ text }) => text).join('\n'))
    },
  },
  {
    id: 'quit',
    title: 'services live on when the app that they were started from quits',
    needs: 'person',
    onlyMac: true,
    async run(bench) {
      const box = bench.sandbox()
      const folder = box.project('quit', {
        ...workerProject('quit'),
        start: `${Object.entries(box.env)
          .map(([key, value]) => `export ${key}='${value}'`)
          .join('\n')}\nexec '${process.execPath}' '${box.main}' up --detach\n`,
      })
      await bench.ask(
        'Terminal is opened, and quit again after half a minute: close what you have in it, or answer this from another app. macOS may ask whether it may be controlled. Press Return.',
      )
      const script = (words: string) => bench.record('osascript', ['-e', `tell application "Terminal" to ${words}`])
      await script(`do script "cd '${folder}' && sh start"`)
      await until(
        'the service',
        async () => (await box.run(['status', '--json'], { cwd: folder })).stdout.includes('"running"'),
        60_000,
      )
      const { pid } = await box.service(folder, 'job')
      await script('quit')
      // Leftovers of an app are killed some 5 to 12 seconds later.
      await bench.pause(20_000)
      await bench.record('lsappinfo', ['find', 'name=Terminal'])
      bench.expect(processList.isAlive(pid ?? 0), 'the service runs on')
      bench.expect((await box.service(folder, 'job')).pid === pid, 'it is the same')
      const { stdout } = await box.run(['doctor', '--json'])
      const { checks }: DoctorAnswer = JSON.parse(stdout)
      const { status, summary } = checks.find(({ id }) => id === 'launch-agent') ?? {}
      bench.note('launch-agent', `${status}: ${summary}`)
      // Since macOS 27 the daemon is a job of launchd's, and the service of that job's coalition.
      process.kill((await box.server()).pid, 'SIGKILL')
      await bench.pause(20_000)
      bench.expect(processList.isAlive(pid ?? 0), 'the service outlives its daemon')
      bench.expect((await box.run(['server', 'start'])).code === 0, 'another daemon starts')
      bench.expect((await box.service(folder, 'job')).pid === pid, 'and takes it over')
    },
  },
  {
    id: 'dialogs',
    title: 'dialogs and notifications of macOS during all this',
    needs: 'person',
    onlyMac: true,
    async run(bench) {
      for (const question of [
        'Did "Background Items Added" appear? With which name?',
        'Did macOS ask for access to Documents, Desktop, Downloads, a volume, or devices on the local network?',
        'Did the firewall ask whether "node" may accept connections?',
      ])
        bench.note(question, await bench.ask(question))
    },
  },
]
