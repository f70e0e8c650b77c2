import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Logs } from '../../../kernel/logs/service-log.ts'
import { addressFile, readAddress } from '../../../kernel/system/daemon-address.ts'
import { openAuthority } from '../../../plugins/https/ca/authority.ts'
import { folder } from '../../lib/log-model.ts'

t.test('renames a file that is in place of the logs folder', async t => {
  const data = folder(t)
  writeFileSync(join(data, 'logs'), 'x')
  const log = new Logs(data).of('shop', 'web')
  log.write('stdout', 'here')
  t.match(readdirSync(data).sort(), ['logs', /^logs\.damaged-\d+$/])
})

t.test('does not wait for a pipe or read a huge file', async t => {
  const data = folder(t)
  writeFileSync(addressFile(data), '')
  truncateSync(addressFile(data), 5 * 1024 ** 3)
  t.equal(readAddress(data), undefined)
  const ca = join(data, 'ca')
  mkdirSync(ca)
  execFileSync('mkfifo', [join(ca, 'root.pem')])
  t.ok(openAuthority(ca, ['localhost']).certificate.ca, 'it is replaced')
})
