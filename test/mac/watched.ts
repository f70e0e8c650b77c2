import type { Step } from './bench.ts'

/** What somebody has to look at. */
export const watched: readonly Step[] = [
  {
    id: 'sleep',
    title: 'services live through a sleep of the machine',
    needs: 'person',
    onlyMac: true,
    async run(bench) {
      const box = bench.sandbox()
      const folder = box.project('sleeper', {
        'locald.toml': `[project]\nname = "sleeper"\n[services.web]\ncommand = "exec ${process.execPath} web.cjs"\nhealth_check = { type = "http", path = "/" }\n`,
        'web.cjs': 'require("http").createServer((_, to) => to.end("hi")).listen(process.env.PORT, "127.0.0.1")',
      })
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
    id: 'dialogs',
    title: 'what macOS asked for and told during all this',
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
