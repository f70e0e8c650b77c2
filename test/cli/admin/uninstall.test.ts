/** `locald admin uninstall` on a Mac: removes what `locald trust --system` has added, or prints how to. */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { parseArgs } from '../../../cli/args/parse.ts'
import { adminUninstall } from '../../../cli/commands/admin.ts'
import { resolvePaths } from '../../../kernel/system/paths.ts'
import { certificate } from '../../lib/certificates.ts'
import { FakeKeychain } from '../../lib/fake-keychain.ts'
import { Installed, unable } from '../../lib/shim.ts'

/** What the command says when it is run, and its exit code. */
async function uninstall(t: Test, it: Installed): Promise<{ code: number; says: string }> {
  const keychain = { file: join(it.root, 'System.keychain'), security: join(it.root, 'security') }
  const conf = join(it.root, 'etc/locald')
  const helper = { shims: [it.shim], conf, hosts: it.hosts, anchors: [], slices: [], keychain }
  const paths = resolvePaths({ env: { HOME: it.root } })
  const args = await parseArgs(['admin', 'uninstall'])
  const said = [t.capture(process.stdout, 'write'), t.capture(process.stderr, 'write')]
  const code = await adminUninstall({ args, json: false, paths, cwd: '/' }, helper)
  const says = said.flatMap(each => each().map(({ args }) => String(args[0]))).join('')
  for (const each of said) each.restore()
  return { code, says }
}

/**
 * What security(1) does: find-certificate prints all; delete-certificate -t exits, as root, before it deletes, for root
 * has no trust settings of its own (Security-61901, keychain_delete.c).
 */
function securityWith(it: Installed, pems: string): string {
  return `#!/bin/sh
case "$1 $2" in
find-certificate\\ -a) cat <<'E'
${pems}E
;;
delete-certificate\\ -t) echo 'No Trust Settings were found.' >&2; exit 1 ;;
delete-certificate\\ -Z) [ "$4" = ${it.root}/System.keychain ] && echo "$3" >> ${it.root}/deleted ;;
esac
`
}

t.test('uninstall removes the CAs of all users from the system keychain', { skip: unable }, async t => {
  const [one, other] = [certificate({ name: 'locald development CA 11111111' }), certificate()]
  const it = new Installed({ sanitized: false })
  t.teardown(() => it.remove())
  const mac = new FakeKeychain(join(it.root, 'mac'))
  mac.buildShim(join(it.root, 'shim'), it.root)
  for (const isRefused of [false, true]) {
    it.reset()
    mac.reset()
    mkdirSync(dirname(it.shim), { recursive: true })
    copyFileSync(join(it.root, 'shim'), it.shim)
    chmodSync(it.shim, 0o4755)
    for (const input of [one, other]) t.match(it.run(['trust'], { input }), { code: 0 })
    writeFileSync(join(it.root, 'security'), securityWith(it, one + other), { mode: 0o755 })
    writeFileSync(join(it.root, 'sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
    if (isRefused) mac.fail({ SecTrustSettingsRemoveTrustSettings: -60007 })
    const { code, says } = await uninstall(t, it)
    t.match(says, /remove locald development CA 11111111 from the system keychain: macOS asks for an administrator/)
    t.match(says, /each user runs `locald untrust`/)
    t.notOk(existsSync(it.shim))
    t.notOk(existsSync(join(it.root, 'etc/locald')))
    if (isRefused) {
      t.equal(code, 1)
      t.match(says, /! .*-60007\n {2}Run `sudo security [\s\S]*! .*-60007\n {2}Run `sudo security /)
      const commands = [...says.matchAll(/Run `(sudo .*)` in Terminal at the Mac’s screen/g)].map(
        ([, command]) => command,
      )
      for (const command of commands)
        spawnSync('sh', ['-c', command ?? ''], { env: { PATH: `${it.root}:/bin:/usr/bin` } })
      t.equal(readFileSync(join(it.root, 'deleted'), 'utf8').split('\n').length, 3, 'they work: both are out')
      t.match(says, /^Done, except for the steps marked/)
      t.equal(mac.lines('admin').length, 2)
    } else {
      t.equal(code, 0)
      t.match(says, /^Done$/m)
      t.strictSame([mac.lines('admin'), mac.lines('system')], [[], []])
    }
  }
})
