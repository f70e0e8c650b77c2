import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { platformFeatures } from '../../../plugins/lib/features.ts'
import { machineChecks } from '../../../plugins/platform-darwin/checks.ts'
import { type Machine, probes } from '../../../plugins/platform-darwin/features.ts'
import { findShim, shimConf, shimPath } from '../../../plugins/platform-darwin/shim.ts'
import { hasFileEvents } from '../../../plugins/platform-darwin/tree-watches.ts'

/** A machine of the test's own: files by path below its root, a PATH of one folder. */
function machineOf(t: Test, files: Readonly<Record<string, string>>): Machine {
  const root = t.testdir({ bin: {} })
  for (const [path, text] of Object.entries(files)) {
    const full = join(root, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, text, { mode: 0o755 })
  }
  return { root, path: join(root, 'bin'), uid: 501 }
}

t.test('features', async t => {
  await t.test('are off on a bare machine, except those of every Mac', async t => {
    const machine = machineOf(t, {})
    for (const name of platformFeatures) {
      const state = await probes[name](machine)
      if (['process-groups', 'open-browser', 'boot-service', 'trust-store'].includes(name))
        t.same(state, { on: true }, name)
      else t.match(state, { on: false, reason: /\w+ \w+/, hint: /\w+ \w+/ }, name)
    }
    t.same(await probes.containers(machine), {
      on: false,
      reason: 'Lima is not installed',
      hint: '`brew install lima` or `locald vm install`; or use `command = "..."` to run a native process.',
    })
    t.match(await probes.cgroups(machine), { reason: 'macOS has no cgroups; process groups are used' })
  })

  await t.test('find engines and virtual machines on PATH', async t => {
    for (const name of ['limactl', 'docker', 'podman']) {
      const machine = machineOf(t, { [`/bin/${name}`]: '' })
      t.same(await probes.containers(machine), { on: true }, name)
      t.equal((await probes.vm(machine)).on, name === 'limactl')
    }
    const unset = { ...machineOf(t, {}), path: undefined }
    t.match(await probes.vm(unset), { on: false })
  })

  await t.test('depend on the helper', { skip: process.getuid?.() !== 0 && 'needs a file of root' }, async t => {
    const machine = machineOf(t, { [shimPath]: '' })
    t.match(await probes.shim(machine), { on: false, reason: /setuid/ })
    chmodSync(join(machine.root, shimPath), 0o4755)
    t.match(await probes.shim(machine), { on: false, reason: /not set up for this user/ })
    mkdirSync(join(machine.root, dirname(shimConf)), { recursive: true })
    writeFileSync(join(machine.root, shimConf), '# who may call\nuid 5010\nuid 501\n')
    t.match(await findShim(machine), { on: true, path: shimPath, portsOnly: false })
    for (const name of ['shim', 'privileged-ports', 'hosts-file'] as const) {
      t.same(await probes[name](machine), { on: true }, name)
    }
  })
})

t.test('checks report missing programs', async t => {
  const failing = async () => Promise.reject(new Error('no such program'))
  const results = await Promise.all(machineChecks({ ps: failing, lsof: async () => [] }).map(check => check.run()))
  t.match(results, [
    { status: 'fail', severity: 'critical', summary: /no such program/, fix: /ps/ },
    { status: 'pass', severity: 'critical' },
  ])
})

t.test('watches whole trees only where FSEvents exists', async t => {
  t.equal(
    await hasFileEvents({
      root: t.testdir({ System: { Library: { Frameworks: { 'CoreServices.framework': {} } } } }),
    }),
    true,
  )
  t.equal(await hasFileEvents({ root: t.testdir({}) }), false)
})
