import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isOwnFolder, isOwnSocket, openNoFollow, otherOwnerAbove } from '../../../kernel/system/file-owner.ts'
import { hasOwnSocket, preparePaths } from '../../../kernel/system/prepare-paths.ts'

const isRoot = process.getuid?.() === 0
const skip = isRoot ? false : 'only root can give a file to another user'
const stranger = 41_002

/** A short folder: sockets are made in it. */
function place(t: { teardown(end: () => unknown): unknown }): string {
  const folder = mkdtempSync(join(tmpdir(), 'locald-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function listen(t: { teardown(end: () => unknown): unknown }, path: string): Promise<{ met: number }> {
  const seen = { met: 0 }
  const server = createServer(socket => {
    seen.met++
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  t.teardown(() => server.close())
  return seen
}

const refused = { code: 'PATHS_UNUSABLE', message: /is not a (?:folder|socket) of yours/, hint: /XDG_RUNTIME_DIR/ }

t.test('opens regular files and folders only, follows no link and waits for no one', async t => {
  const root = place(t)
  const file = join(root, 'file')
  writeFileSync(file, 'text')
  const opened = openNoFollow(file, 'file')
  t.equal(opened.stat.size, 4)
  closeSync(opened.fd)
  symlinkSync(file, join(root, 'link'))
  t.throws(() => openNoFollow(join(root, 'link'), 'file'), { code: 'ELOOP' })
  t.throws(() => openNoFollow(join(root, 'none'), 'file'), { code: 'ENOENT' })
  t.throws(() => openNoFollow(root, 'file'), { code: 'PATHS_UNUSABLE', message: /not a regular file/ })
  t.throws(() => openNoFollow(file, 'folder'), { code: 'ENOTDIR' })
  t.equal(spawnSync('mkfifo', [join(root, 'fifo')]).status, 0)
  t.throws(() => openNoFollow(join(root, 'fifo'), 'file'), { code: 'PATHS_UNUSABLE' }, 'a FIFO without a writer')
})

t.test('a folder of the caller is closed to others; a link, or a file, is no folder of theirs', async t => {
  const root = place(t)
  const own = join(root, 'own')
  t.equal(isOwnFolder(own), false, 'not there')
  mkdirSync(own)
  chmodSync(own, 0o777)
  t.equal(isOwnFolder(own), true)
  t.equal(statSync(own).mode & 0o777, 0o700)
  symlinkSync(own, join(root, 'link'))
  t.throws(() => isOwnFolder(join(root, 'link')), refused)
  writeFileSync(join(root, 'file'), '')
  t.throws(() => isOwnFolder(join(root, 'file')), refused)
})

t.test('a folder that others could replace is refused, one below a sticky folder is not', async t => {
  const root = place(t)
  const own = join(root, 'own')
  mkdirSync(own)
  chmodSync(root, 0o777)
  t.throws(() => isOwnFolder(own), refused)
  chmodSync(root, 0o1777)
  t.equal(isOwnFolder(own), true)
})

t.test("another user's folder and socket are refused", { skip }, async t => {
  const root = place(t)
  const folder = join(root, 'theirs')
  mkdirSync(folder)
  const socket = join(folder, 's')
  await listen(t, socket)
  t.equal(hasOwnSocket({ runtime: folder, socket }), true)
  chownSync(folder, stranger, stranger)
  t.throws(() => hasOwnSocket({ runtime: folder, socket }), refused, 'of the folder')
  t.throws(() => isOwnFolder(folder), refused, 'alone, too')
  t.throws(() => isOwnSocket(socket), refused, 'they could replace it')
  chownSync(folder, 0, 0)
  chownSync(socket, stranger, stranger)
  t.throws(() => hasOwnSocket({ runtime: folder, socket }), refused, 'of the socket')
})

t.test('root makes nothing in the home of another user', { skip }, async t => {
  const home = place(t)
  const at = (...path: string[]) => join(home, ...path)
  const paths = { data: at('.local', 'share', 'locald'), runtime: at('run'), socket: at('run', 's') }
  t.equal(otherOwnerAbove(paths.data), undefined)
  chownSync(home, stranger, stranger)
  t.equal(otherOwnerAbove(paths.data), stranger)
  const refusal = { code: 'PATHS_UNUSABLE', message: /as root: .* user 41002/, hint: /without sudo/ }
  t.throws(() => preparePaths(paths), refusal)
  const elsewhere = place(t)
  t.throws(() => preparePaths({ ...paths, data: join(elsewhere, 'data') }), refusal, 'the runtime folder alone')
  t.strictSame(readdirSync(home), [])
})

t.test('a socket is one, not a link to one', async t => {
  const root = place(t)
  const socket = join(root, 's')
  t.equal(isOwnSocket(socket), false, 'not there')
  await listen(t, socket)
  t.equal(isOwnSocket(socket), true)
  symlinkSync(socket, join(root, 'link'))
  t.throws(() => isOwnSocket(join(root, 'link')), refused)
  writeFileSync(join(root, 'file'), '')
  t.throws(() => isOwnSocket(join(root, 'file')), refused)
})
