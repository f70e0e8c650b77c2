/** The privileged helper, from `sudo locald admin setup` to `admin uninstall`, on a machine of the test's own. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PrivateMachine, unable } from '../lib/private-machine.ts'
import { until } from '../lib/running.ts'
import { Sandbox } from '../lib/sandbox.ts'

const server = `
  const http = require('node:http')
  http.createServer((_, answer) => answer.end('hello from the shop')).listen(process.env.PORT, '127.0.0.1')`
const files = {
  'locald.toml': `[project]\nname = "shop"\n[services.web]\ncommand = "node server.js"\n[services.db]\ntype = "worker"\ncommand = "sleep 1000 & setsid sleep 1000 & exec sleep 1000"\n`,
  'server.js': server,
}
/** Node, and others that tests are to be run with: paths, divided by colons. */
const nodes = [process.execPath, ...(process.env['LOCALD_TEST_NODES'] ?? '').split(':').filter(path => path !== '')]

for (const node of nodes) t.test(node, { skip: unable, timeout: 180_000 }, t => lifeOf(t, node))

async function lifeOf(t: Test, node: string): Promise<void> {
  const machine = await PrivateMachine.start(t)
  const through: PrivateMachine['words'] = (cwd, user) => machine.words(cwd, user)
  // The proxy's ports as they are for everybody.
  const box = new Sandbox(t, { through, node, env: { LOCALD_HTTP_PORT: '', LOCALD_HTTPS_PORT: '' } })
  const uid = box.user?.uid ?? 0
  const folder = box.project('shop', files)
  const hosts = () => machine.sh('cat /etc/hosts')
  const before = hosts()
  const curl = async (url: string) =>
    (
      await box.spawn([
        'curl',
        '--silent',
        '--show-error',
        '--resolve',
        '*:80:127.0.0.1',
        '--resolve',
        '*:443:127.0.0.1',
        url,
      ]).done
    ).stdout

  t.comment('without the helper')
  await box.up(folder)
  t.match(await box.server(), { http: 8080, https: 8443 })
  t.equal(hosts(), before)
  const off = JSON.parse((await box.run(['doctor', '--json'])).stdout)
  for (const id of ['shim', 'privileged-ports', 'hosts-file']) {
    t.match(
      off.checks.find((check: { id: string }) => check.id === id),
      { status: 'warn', severity: 'optional', fix: /admin setup/ },
    )
  }
  t.match(await box.run(['admin', 'setup']), { code: Number, stderr: /needs root|sudo/ })

  t.comment('admin setup')
  const setup = await box.sudo(['admin', 'setup'])
  t.match(
    setup,
    {
      code: 0,
      stdout: /Done/,
      stderr:
        /As root, this will:\n {2}install \/usr\/local\/libexec\/locald\/locald-shim, setuid root \(SHA-256 [0-9a-f]{64}\)/,
    },
    setup.stderr,
  )
  t.match(
    machine.sh('stat -c "%a %u:%g" /usr/local/libexec/locald/locald-shim /etc/locald/shim.conf /etc/locald/shim.lock'),
    '4755 0:0\n644 0:0\n600 0:0\n',
  )
  t.match(machine.sh('cat /etc/locald/shim.conf'), new RegExp(`^uid ${uid}$`, 'm'))
  t.match(await box.sudo(['admin', 'setup']), { code: 0, stderr: /^Already set up$/m, stdout: '' }, 'idempotent')
  await box.ok(['server', 'restart'])
  const [{ pid }, web] = [await box.server(), await box.service(folder, 'web')]
  t.match(await box.server(), { http: 80, https: 443 })
  t.equal(web.url, 'https://shop.localhost')
  t.equal(await curl('http://shop.localhost/'), 'hello from the shop')
  t.equal(await curl('https://shop.localhost/'), '', 'no store trusts the CA yet')
  t.match(await box.run(['trust']), { stdout: /system’s store .* trusts it/ })
  t.equal(await curl('https://shop.localhost/'), 'hello from the shop')
  t.match(machine.sh('ls /etc/ssl/certs'), new RegExp(`^locald-${uid}-[0-9a-f]+\\.crt$`, 'm'))
  holdsNoPrivilege(t, pid, uid)
  const listeners = inodes(machine.sh('cat /proc/net/tcp /proc/net/tcp6'), 80)
  t.equal(listeners.size, 2, '127.0.0.1 and ::1')
  const holders = box.processes().filter(process => holdsOneOf(process.pid, listeners))
  t.strictSame(
    holders.map(process => process.pid),
    [pid],
    'the daemon alone has the listeners',
  )

  t.comment('names in the hosts file')
  const names = ['shop.localhost', 'web.shop.localhost'].map(name => `127.0.0.1 ${name}\n::1 ${name}\n`).join('')
  const block = `# BEGIN locald uid ${uid}\n${names}# END locald uid ${uid}\n`
  await until('the names', () => hosts().includes(block))
  t.ok(hosts().startsWith(before))
  t.match((await box.spawn(['getent', 'hosts', 'shop.localhost']).done).stdout, /shop\.localhost/)
  machine.sh(`sed -i '/locald uid ${uid}/,/END/d' /etc/hosts`)
  t.notMatch(hosts(), /locald/)
  await box.ok(['admin', 'sync-hosts'])
  t.match(hosts(), /127\.0\.0\.1 shop\.localhost/)
  const other = new Sandbox(t, { through, node })
  const second = other.project('other', {
    'locald.toml': '[project]\nname = "other"\ndomain = "other.test"\n[services.web]\ncommand = "node server.js"\n',
    'server.js': server,
  })
  await other.up(second)
  await until('the names of both daemons', () =>
    /127\.0\.0\.1 other\.test\n(.*\n)*127\.0\.0\.1 shop\.localhost\n/.test(hosts()),
  )
  await other.ok(['stop'], { cwd: second })
  await until('one daemon left', () => !hosts().includes('other.test') && hosts().includes('shop.localhost'))

  t.comment('cgroups')
  await box.ok(['restart'], { cwd: folder })
  const db = await box.service(folder, 'db')
  const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${db.pid}/cgroup`, 'utf8'))?.[1] ?? ''
  t.match(path, new RegExp(`^/locald\\.slice/u${uid}/s-[0-9a-f]{12}$`))
  const mount = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find(it => existsSync(join(it, path))) ?? ''
  const members = () =>
    readFileSync(join(mount, path, 'cgroup.procs'), 'utf8')
      .trim()
      .split('\n')
  t.ok(members().length >= 3, 'whatever it starts')
  t.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`^0::/locald.slice/u${uid}/daemon$`, 'm'))
  t.type((await box.service(folder, 'web')).memory, 'number')
  const feature = JSON.parse((await box.run(['doctor', '--json', '--verbose'])).stdout)
  for (const id of ['shim', 'shim-version', 'privileged-ports', 'hosts-file', 'cgroups']) {
    t.match(
      feature.checks.find((check: { id: string }) => check.id === id),
      { status: 'pass' },
      id,
    )
  }
  await box.ok(['stop'], { cwd: folder })
  t.notOk(existsSync(join(mount, path)), 'its cgroup is removed')
  await until('no names', () => hosts() === before)

  t.comment('a stale helper')
  machine.sh('printf x >> /usr/local/libexec/locald/locald-shim')
  const stale = JSON.parse((await box.run(['doctor', '--json'])).stdout)
  t.match(
    stale.checks.find((check: { id: string }) => check.id === 'shim-version'),
    { status: 'warn', summary: /another version/, fix: /sudo locald admin setup/ },
  )
  t.match(await box.sudo(['admin', 'setup']), { code: 0, stderr: /install/ })

  t.comment('ports only')
  t.match(await box.sudo(['admin', 'setup', '--capabilities']), { code: 0, stderr: /with the capability/ })
  t.equal(machine.sh('stat -c %a /usr/local/libexec/locald/locald-shim').trim(), '755')
  await box.ok(['server', 'restart'])
  t.match(await box.server(), { http: 80 })
  const partly = JSON.parse((await box.run(['doctor', '--json', '--verbose'])).stdout)
  t.match(
    partly.checks.find((check: { id: string }) => check.id === 'hosts-file'),
    { status: 'warn', fix: /admin setup/ },
  )

  t.comment('admin uninstall')
  await box.sudo(['admin', 'setup'])
  await box.ok(['server', 'restart'])
  await box.up(folder)
  await until('the names', () => hosts().includes('shop.localhost'))
  t.comment('admin uninstall that fails half-way')
  const conf = machine.sh('cat /etc/locald/shim.conf')
  machine.sh('cp /etc/hosts /etc/hosts.right && echo "# END locald uid 7" >> /etc/hosts')
  t.match(await box.sudo(['admin', 'uninstall']), { code: Number, stderr: /damaged/ })
  t.equal(machine.sh('cat /etc/locald/shim.conf'), conf, 'who may call the helper may still do so')
  machine.sh('mv /etc/hosts.right /etc/hosts')
  const removed = await box.sudo(['admin', 'uninstall'])
  t.match(removed, {
    code: 0,
    stderr: new RegExp(
      `remove the names of user ${uid} from /etc/hosts\\n {2}remove /etc/ssl/certs/locald-.*\\n {2}remove /usr/local/libexec/locald/locald-shim\\n {2}remove /etc/locald\\n`,
    ),
  })
  t.equal(hosts(), before)
  t.equal(
    machine.sh(
      `ls /usr/local/share/ca-certificates /etc/ssl/certs /etc/ca-certificates/update.d | grep 'locald-${uid}-\\|zz-locald' || true`,
    ),
    '',
  )
  t.equal(machine.sh('ls -d /usr/local/libexec/locald /etc/locald 2>&1 || true').match(/No such file/g)?.length, 2)
  t.match(await box.sudo(['admin', 'uninstall']), { code: 0, stderr: /Nothing is installed/ })
  await box.ok(['server', 'restart'])
  t.match(await box.server(), { http: 8080 })
  t.equal((await box.service(folder, 'web')).status, 'running', 'everything works without it')
}

/** No root anywhere in the daemon: ids, groups, capabilities. */
function holdsNoPrivilege(t: Test, pid: number, uid: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  t.match(status, new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'))
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) t.match(status, new RegExp(`^${set}:\t0+$`, 'm'))
  t.equal(statSync(`/proc/${pid}`).uid, uid)
}

/** Inodes of sockets that listen on a port. */
function inodes(table: string, port: number): ReadonlySet<string> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const rows = table.split('\n').map(line => line.trim().split(/\s+/))
  return new Set(rows.flatMap(row => (row[1]?.endsWith(`:${hex}`) && row[3] === '0A' ? [row[9] ?? ''] : [])))
}

function holdsOneOf(pid: number, sockets: ReadonlySet<string>): boolean {
  return readdirSync(`/proc/${pid}/fd`).some(fd => {
    try {
      return sockets.has(/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? '')
    } catch {
      return false
    }
  })
}
