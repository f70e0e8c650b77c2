import t from 'tap'
import { checkPodman } from '../../../../plugins/container/checks/podman-setup.ts'
import { CliEngine } from '../../../../plugins/container/engines/cli-engine.ts'
import { noContainers } from '../../../lib/containers.ts'
import { machineOf, writeProgram } from '../engines/machine.ts'
import { privatePodman } from '../engines/private-podman.ts'

t.test('a slow storage driver of podman is a warning', { skip: noContainers }, async t => {
  const { engine } = await privatePodman(t)
  const machine = machineOf({ home: t.testdir(), env: { PATH: process.env['PATH'] } })
  t.match(await checkPodman(machine, engine), { status: 'warn', summary: /storage driver vfs copies whole images/ })
})

t.test('settings of podman that locald depends on are checked', async t => {
  const home = t.testdir()
  const info = async (host: object, netavark = '1.4.0', aardvark = '1.4.0') => {
    const store = { graphDriverName: 'overlay' }
    const text = JSON.stringify({ host: { cgroupManager: 'systemd', networkBackend: 'netavark', ...host }, store })
    const folder = writeProgram(home, 'podman', `echo '${text}'`)
    const facts = { name: 'podman', dialect: 'podman', version: '5.0', program: `${folder}/podman` } as const
    const rest = { env: {}, hostName: undefined, isNative: true, shares: async () => true }
    const machine = machineOf({ home, env: { PATH: folder } })
    const helpers = writeProgram(home, 'netavark', `echo netavark ${netavark}`)
    writeProgram(home, 'aardvark-dns', `echo aardvark-dns ${aardvark}`)
    return await checkPodman(machine, new CliEngine({ ...facts, ...rest }, machine.files), [helpers])
  }
  t.match(await info({ eventLogger: 'journald' }), {
    status: 'pass',
    summary: 'podman 5.0: cgroups by systemd, events by journald, storage overlay, netavark',
  })
  t.match(await info({ eventLogger: 'none' }), { status: 'warn', fix: /Set `events_logger = "file"`/ })
  t.match(await info({ networkBackend: 'cni' }), { status: 'warn', summary: /do not find each other by name/ })
  t.match(await info({}, '1.4.0', '1.10.0'), { status: 'warn', summary: /netavark 1\.4\.0 and aardvark-dns 1\.10\.0/ })
})
