import { join } from 'node:path'
import t from 'tap'
import type { Check, Processes, Run, Services, ServiceType } from '../../../kernel/contract/plugin.ts'
import plugin from '../../../plugins/exec-runtime/index.ts'
import { fakeHost } from '../../lib/fake-host.ts'
import { cleanEnvironment } from '../../lib/keeper.ts'
import { darwin, linux, native, Rig } from './harness.ts'

t.test('the plugin starts services of its types and checks the keeper', async t => {
  const declared = {
    types: new Map<string, ServiceType<unknown>>(),
    checks: [] as Check[],
  }
  const table = linux === false ? darwin : linux
  const rig = new Rig(t, table)
  const provided: Partial<{ processes: Processes }> = {}
  const use: Services = new Proxy(Object.create(null), {
    get: (_, name) => (name === 'processTable' ? table : name === 'processes' ? provided.processes : undefined),
  })
  const host = fakeHost({
    folders: { data: rig.dir, config: rig.dir, runtime: rig.dir, sockets: rig.dir, native },
    service: type => void declared.types.set(type.type, type as ServiceType<unknown>),
    check: check => void declared.checks.push(check),
    provide: (name, make) => {
      if (name === 'processes') Object.assign(provided, { processes: make(use) })
    },
    use,
  })
  await plugin.setup(host)
  t.match(
    [...declared.types.values()].map(({ type, isDefault, network }) => [type, isDefault, network]),
    [
      ['exec', true, 'web'],
      ['worker', undefined, 'none'],
    ],
  )
  t.match(await declared.checks[0]?.run(), { status: 'pass' })
  const run: Run<unknown> = {
    project: { name: 'shop', path: rig.dir, domain: 'shop.localhost' },
    name: 'web',
    key: 'shop:web',
    options: { command: 'echo "$PORT"', tty: false },
    port: 4000,
    isRequested: false,
    hasWrittenPort: false,
    env: cleanEnvironment({ PORT: '4000' }),
    dir: rig.dir,
    workdir: undefined,
    ports: {},
    hostPorts: [],
    data: rig.dir,
    stopSignal: 'SIGTERM',
    stopTimeout: 1000,
    log: rig.log,
    signal: new AbortController().signal,
    step: () => {},
  }
  const exec = declared.types.get('exec')
  const instance = await exec?.start(run)
  t.match(await instance?.exited, { code: 0 })
  t.strictSame(await rig.lines(), ['4000'])
  const again = await exec?.adopt?.(run, instance?.state)
  t.match(await again?.exited, { code: 0 })
  for (const dir of [join(rig.dir, 'none'), rig.log.file])
    await t.rejects(async () => void (await exec?.start({ ...run, dir })), {
      code: 'SPAWN_FAILED',
      message: /working folder/,
    })
})
