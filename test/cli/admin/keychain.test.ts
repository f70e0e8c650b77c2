/** What the CLI does in a keychain for a plugin's command, by locald-keychain and by the installed helper. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runKeychainSteps } from '../../../cli/admin/keychain.ts'
import type { TrustStep } from '../../../kernel/protocol.ts'
import { openAuthority, readRoot } from '../../../plugins/https/ca/authority.ts'
import { Trust } from '../../../plugins/https/trust/trust.ts'
import { certificate } from '../../lib/certificates.ts'
import { FakeKeychain } from '../../lib/fake-keychain.ts'
import { Installed, unable } from '../../lib/shim.ts'

const pem = certificate()

t.test('runs the keychain steps of all users by locald-shim', { skip: unable }, async t => {
  const it = new Installed({ sanitized: true })
  t.teardown(() => it.remove())
  // The CLI is these tests, which run as root.
  writeFileSync(it.conf, 'uid 0\n')
  const mac = new FakeKeychain(join(it.root, 'mac'))
  mac.buildShim(it.shim, it.root)
  const native = join(it.root, 'native')
  mkdirSync(native)
  mac.buildProgram(join(native, 'locald-keychain'))
  const helper = { shims: [it.shim], conf: '', hosts: '', anchors: [], slices: [] }
  const paths = { native, helper }
  const step: TrustStep = { act: 'trust', domain: 'admin', certificate: pem }
  const untrust: TrustStep = { ...step, act: 'untrust' }

  t.test('reports what macOS answered and stops at the first step that fails', async t => {
    t.match(await runKeychainSteps(paths, [step, untrust]), [
      { ...step, status: 0 },
      { ...untrust, status: 0 },
    ])
    t.strictSame([mac.lines('system'), mac.lines('admin')], [[], []])
    for (const status of [-60005, -60007, -128]) {
      mac.fail({ SecTrustSettingsSetTrustSettings: status })
      t.match(await runKeychainSteps(paths, [step, untrust]), [{ ...step, status }])
    }
    mac.fail({})
    const [refused, ...others] = (await runKeychainSteps(paths, [{ ...step, certificate: 'none' }, step])) ?? []
    t.match(refused, { status: null, says: 'standard input is not one certificate in PEM' })
    t.strictSame(others, [])
    const nowhere = { native, helper: { ...helper, shims: ['/nowhere/locald-shim'] } }
    t.match(await runKeychainSteps(nowhere, [step]), [{ status: null, says: /ENOENT/ }])
    const late = join(it.root, 'late')
    writeFileSync(late, '#!/bin/sh\nexit 19\n', { mode: 0o755 })
    const slow = { native, helper: { ...helper, shims: [late] } }
    t.match(await runKeychainSteps(slow, [step]), [{ status: null, says: /the dialog timed out/ }])
  })

  t.test('trust --system runs its step once and reports the outcome', async t => {
    mac.reset()
    const folder = join(t.testdir(), 'ca')
    openAuthority(folder, ['localhost', 'test', 'internal'])
    const machine = { os: 'darwin', uid: 0, root: it.root, home: it.root, path: '', native } as const
    const never = async (): Promise<void> => void t.fail('the daemon changes nothing itself')
    const trust = new Trust(machine, folder, () => ({ trust: never, untrust: never }))
    const { steps = [], exitCode, text } = await trust.trust({ system: true })
    t.match({ exitCode, text }, { exitCode: 1, text: /not changed\n {2}Run `locald trust --system` in a terminal/ })
    t.match(steps, [{ act: 'trust', domain: 'admin', certificate: readRoot(folder)?.certificate.toString() }])
    mac.fail({ SecTrustSettingsSetTrustSettings: -60005 })
    const denied = await trust.trust({ system: true, outcomes: await runKeychainSteps(paths, steps) })
    t.match(denied, { exitCode: 1, text: /administrator’s name and password \(-60005\)/ })
    t.notOk(denied.steps, 'no second dialog')
    mac.fail({})
    t.match(await trust.trust({ system: true, outcomes: await runKeychainSteps(paths, steps) }), { exitCode: 0 })
    t.match(await trust.checkStores('system'), { status: 'pass', summary: /your login keychain \(the system keychain/ })
    const away = await trust.untrust()
    t.match(away.steps, [{ act: 'untrust', domain: 'admin' }])
    t.match(await trust.untrust({ outcomes: await runKeychainSteps(paths, away.steps ?? []) }), { exitCode: 0 })
    t.strictSame([mac.lines('system'), mac.lines('admin')], [[], []])
    t.match(await trust.trust({ outcomes: [] }), { exitCode: 1, text: /not changed/ }, 'a CLI that did nothing')
  })

  t.test('fails where macOS accepts the change without trusting the CA', async t => {
    mac.reset()
    const folder = join(t.testdir(), 'ca')
    openAuthority(folder, ['localhost'])
    const trust = new Trust({ os: 'darwin', uid: 0, root: it.root, home: it.root, path: '', native }, folder)
    const { steps = [] } = await trust.trust()
    const outcomes = steps.map(each => ({ ...each, status: 0, says: '' }))
    t.match(await trust.trust({ outcomes }), { exitCode: 1, text: /but does not trust the CA\n.*Device Management/ })
  })
})
