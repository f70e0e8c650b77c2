import t from 'tap'
import { parseOwnCgroup } from '../../../plugins/platform-linux/cgroups/detect.ts'
import { decodeAddress, parseSocket, parseSocketLink } from '../../../plugins/platform-linux/proc/network.ts'
import {
  hasExited,
  parseMark,
  parseOpenFiles,
  parsePageSize,
  parseStat,
  parseStatm,
} from '../../../plugins/platform-linux/proc/stat.ts'

t.test('parses files of /proc', async t => {
  const rest = (state: string, threads = 1) =>
    `${state} 7424 7424 3036 34816 -1 4194304 97 0 0 0 31 12 5 7 20 0 ${threads} 0 141963 3133440 384 18446744073709551615`
  t.match(parseStat(`7436 (cat) ${rest('R')}`), { pid: 7436, comm: 'cat', state: 'R', ppid: 7424, threads: 1 })
  t.match(parseStat(`7436 (cat) ${rest('R')}`), { started: 141963, cpu: 43, childCpu: 12 })
  for (const comm of ['a b', ') R 1 1', 'x) (y', '((', ' )) ', 'new\nline', '']) {
    t.match(
      parseStat(`7 (${comm}) ${rest('S')}`),
      { pid: 7, comm, state: 'S', ppid: 7424 },
      `comm ${JSON.stringify(comm)}`,
    )
  }
  for (const bad of ['', 'x', '12', '12 (cut', '12 (cut) ', '12 (cut) S 1 2 3']) {
    t.equal(parseStat(bad), undefined, JSON.stringify(bad))
  }
  const isExited = (state: string, threads: number) => {
    const stat = parseStat(`7 (x) ${rest(state, threads)}`)
    return stat !== undefined && hasExited(stat)
  }
  t.ok(isExited('Z', 1), 'a zombie has exited')
  t.ok(isExited('X', 1))
  t.notOk(isExited('Z', 3), 'not one whose other threads run on')
  t.notOk(isExited('D', 1))

  const limits = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max open files            20000                20000                files     ',
    'Max realtime timeout      18446744073709551614 unlimited            us        ',
  ].join('\n')
  t.equal(parseMark(limits), '18446744073709551614', '64 bits are kept')
  t.equal(parseMark(limits.replace(/1844\d+/, 'unlimited           ')), undefined)
  t.equal(parseOpenFiles(limits), 20000)
  t.equal(parseOpenFiles(limits.replaceAll('20000', 'unlimited')), Number.POSITIVE_INFINITY)
  t.equal(parseOpenFiles(''), undefined)
  t.same(parseStatm('765 384 300 5 0 100 0\n'), { resident: 384, shared: 300 })
  t.equal(parseStatm(''), undefined)

  const auxv = (write: (value: bigint, at: number) => void) =>
    [3n, 0x55n, 6n, 16384n, 0n, 0n].forEach((word, at) => {
      write(word, at * 8)
    })
  const buffer = Buffer.alloc(48)
  auxv((value, at) => buffer.writeBigUInt64LE(value, at))
  t.equal(parsePageSize(buffer, true), 16384)
  auxv((value, at) => buffer.writeBigUInt64BE(value, at))
  t.equal(parsePageSize(buffer, false), 16384)
  t.equal(parsePageSize(Buffer.alloc(0), true), 4096)
  t.equal(parseOwnCgroup('9:name=systemd:/x\n0::/user.slice/a b\n'), '/user.slice/a b')
  t.equal(parseOwnCgroup('9:name=systemd:/x\n'), undefined)
})

t.test('parses /proc/net/tcp', async t => {
  t.equal(decodeAddress('0100007F', true), '127.0.0.1')
  t.equal(decodeAddress('7F000001', false), '127.0.0.1')
  t.equal(decodeAddress('00000000', true), '0.0.0.0')
  t.equal(decodeAddress('00000000000000000000000000000000', true), '::')
  t.equal(decodeAddress('00000000000000000000000001000000', true), '::1')
  t.equal(decodeAddress('0000000000000000FFFF00000100007F', true), '127.0.0.1', 'a mapped address')
  t.equal(decodeAddress('B80D0120000000000000000001000000', true), '2001:db8::1')
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 181449 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D432 01 00000000:00000000 00:00000000 00000000  1000        0 181450 1 0000000000000000 20 4 30 10 -1
`
  const [head = '', listens = '', connected = ''] = text.split('\n')
  const socket = { address: '127.0.0.1', port: 8080, uid: 1000, inode: '181449', listens: true }
  t.same(parseSocket(listens, true), socket)
  t.same(parseSocket(connected, true), { ...socket, inode: '181450', listens: false })
  for (const line of ['', head]) t.equal(parseSocket(line, true), undefined)
  t.equal(parseSocketLink('socket:[181449]'), '181449')
  t.equal(parseSocketLink('/tmp/socket:[1]'), undefined)
})
