import t from 'tap'
import { LinuxConnectionWatch } from '../../../plugins/platform-linux/connection-watch.ts'
import type { Link } from '../../../plugins/platform-linux/proc/network.ts'
import { parseLink } from '../../../plugins/platform-linux/proc/network.ts'

const tree = (pid: number) => ({ keeper: pid, pid: pid + 1, pgid: pid + 1, startedMs: 0 })
const link = (remotePort: number): Link => ({
  ...{ localAddress: '127.0.0.1', localPort: 40_000 },
  ...{ remoteAddress: '127.0.0.1', remotePort },
})

/** A machine with two trees, of one process each, and counts of what was read. */
function machine() {
  const state = { newest: '7', sockets: new Map<number, string[]>(), links: new Map<string, Link>() }
  const read = { walks: 0, tables: [] as string[][] }
  const watch = new LinuxConnectionWatch({
    proc: {
      newest: () => state.newest,
      sockets: pid => new Set(state.sockets.get(pid)),
      links: inodes => {
        read.tables.push([...inodes])
        return new Map([...state.links].filter(([inode]) => inodes.has(inode)))
      },
    },
    pidsOf: async trees => {
      read.walks += 1
      return trees.map(({ pid }) => [pid])
    },
  })
  return { state, read, look: () => watch.look([tree(1), tree(10)]) }
}

t.test('a socket that stays is looked up once, and shown in each look', async t => {
  const { state, read, look } = machine()
  state.sockets.set(11, ['500']).set(2, ['501'])
  state.links.set('500', link(20_001))
  t.same(await look(), [{ tree: 1, ...link(20_001) }])
  t.same(await look(), [{ tree: 1, ...link(20_001) }])
  await look()
  t.same(read.tables, [['501', '500'], ['501']], 'one without a connection is looked up once again')
  t.equal(read.walks, 1)
})

t.test('new sockets and processes are found, closed ones forgotten', async t => {
  const { state, read, look } = machine()
  t.same(await look(), [])
  t.same(read.tables, [], 'no socket needs no table')
  state.newest = '8'
  state.sockets.set(2, ['500'])
  state.links.set('500', link(20_001))
  t.same(await look(), [{ tree: 0, ...link(20_001) }])
  t.equal(read.walks, 2)
  state.sockets.clear()
  t.same(await look(), [])
  state.sockets.set(2, ['500'])
  state.links.set('500', link(20_002))
  t.same(await look(), [{ tree: 0, ...link(20_002) }], 'the same number may be of another socket')
})

t.test('both ends of connected sockets are read, in both families', async t => {
  const line = (state: string) =>
    `   1: 0100007F:9C40 0100007F:4E21 ${state} 00000000:00000000 00:00000000 00000000  1000        0 777 1 0 20 4 30 10 -1`
  t.same(parseLink(line('01'), true, new Set(['777'])), { ...link(20_001), inode: '777' })
  t.equal(parseLink(line('06'), true, new Set(['777'])), undefined, 'TIME_WAIT is of no process')
  t.equal(parseLink(line('01'), true, new Set(['778'])), undefined)
  const six = `   0: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:4E21 01 0:0 0:0 0 0 0 9 1`
  t.match(parseLink(six, true, new Set(['9'])), { localAddress: '::1', remoteAddress: '::1', remotePort: 20_001 })
})
