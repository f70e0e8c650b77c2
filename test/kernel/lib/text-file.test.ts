import { execFileSync, spawn } from 'node:child_process'
import { chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readTextFile, readTextFileNow, type TextFault, type TextFile } from '../../../kernel/contract/plugin.ts'

const dir = t.testdir({ plain: '\uFEFFA=1\n', latin: Buffer.from('gr\xfc\xdfe', 'latin1'), folder: {} })
const at = (name: string) => join(dir, name)
const me = process.getuid?.() ?? 0

function fault(read: TextFile | TextFault | undefined): string | undefined {
  return read !== undefined && 'fault' in read ? read.fault : undefined
}

symlinkSync(at('plain'), at('link'))
symlinkSync(at('loop'), at('loop'))
symlinkSync('/dev/zero', at('endless'))
symlinkSync('/dev/null', at('nothing'))
execFileSync('mkfifo', [at('pipe')])

t.test('reads a regular file, also through a link', async t => {
  t.strictSame(await readTextFile(at('plain')), { text: 'A=1\n', isUtf8: true, owners: [me] })
  t.match(await readTextFile(at('link')), { text: 'A=1\n', owners: [me, me] })
  t.match(await readTextFile(at('latin')), { text: 'gr\uFFFD\uFFFDe', isUtf8: false })
  for (const none of ['missing', 'plain/below', 'link/below/that'])
    t.equal(await readTextFile(at(none)), undefined, none)
  if (process.platform === 'linux')
    t.match(await readTextFile('/proc/self/status'), { text: /^Name:/ }, 'one that says it has no size')
})

t.test('rejects files of other users', { skip: me === 0 ? false : 'needs root' }, async t => {
  mkdirSync(at('theirs'))
  writeFileSync(at('theirs/file'), 'x')
  symlinkSync(at('plain'), at('theirs/link'))
  chownSync(at('theirs/file'), 12345, 12345)
  lchownSync(at('theirs/link'), 12345, 12345)
  t.match(await readTextFile(at('theirs/file')), { owners: [12345] })
  t.match(await readTextFile(at('theirs/link')), { owners: [0, 12345] }, "another's link to a file of mine")
})

t.test('rejects what is not a file without blocking', async t => {
  t.equal(fault(await readTextFile(at('folder'))), 'is a folder')
  for (const name of ['pipe', 'endless', 'nothing'])
    t.equal(fault(await readTextFile(at(name))), 'is not a regular file', name)
  t.match(fault(await readTextFile(at('loop'))), /in a circle/)
  t.match(fault(await readTextFile(at('x'.repeat(300)))), /ENAMETOOLONG/)
  t.match(fault(await readTextFile(at('nul\0'))), /cannot be read/)
  writeFileSync(at('big'), 'x'.repeat(1024 * 1024 + 1))
  t.equal(fault(await readTextFile(at('big'))), 'is larger than 1 MiB')
  for (const name of ['folder', 'pipe', 'endless', 'nothing', 'loop', 'big', 'plain/below', 'x'.repeat(300), 'nul\0'])
    t.equal(readTextFileNow(at(name)), undefined, name)
  t.match(readTextFileNow(at('link')), 'A=1\n')
})

t.test('reads pipes and devices where allowed', async t => {
  const writer = spawn('sh', [
    '-c',
    'exec 3>"$1"; sleep 0.05; printf A= >&3; sleep 0.05; printf "1\\n" >&3',
    'sh',
    at('pipe'),
  ])
  const hasClosed = new Promise(resolve => writer.once('close', resolve))
  t.match(await readTextFile(at('pipe'), { streams: true }), { text: 'A=1\n' }, 'to the end')
  await hasClosed
  t.match(
    fault(await readTextFile(at('pipe'), { streams: true, ms: 30 })),
    /timed out after 0\.03 s/,
    'without a writer',
  )
  t.match(await readTextFile(at('nothing'), { streams: true }), { text: '' })
  t.match(fault(await readTextFile(at('endless'), { streams: true })), /larger than 1 MiB/)
})
