import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { packageOf } from '../../../kernel/system/native.ts'
import { otherMachineName } from '../../../kernel/system/platform.ts'

t.test('a Mac with an Apple processor also finds the programs of its x64 Node', async t => {
  t.equal(otherMachineName('darwin-arm64', 'Apple M2 Pro'), 'darwin-x64')
  t.equal(otherMachineName('darwin-x64', 'VirtualApple @ 2.50GHz processor'), 'darwin-arm64', 'Node is translated')
  t.equal(otherMachineName('darwin-x64', 'Intel(R) Core(TM) i7-8700B CPU @ 3.20GHz'), undefined)
  t.equal(otherMachineName('linux-arm64', 'Apple M1'), undefined, 'Linux on such a processor')
  t.equal(otherMachineName('linux-x64', ''), undefined)
})

t.test('the package for a machine is where Node finds packages', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'locald-packages-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const locald = join(folder, 'node_modules', 'locald')
  const native = join(folder, 'node_modules', '@locald', 'native-darwin-x64')
  for (const path of [locald, native]) mkdirSync(path, { recursive: true })
  writeFileSync(join(native, 'package.json'), '{}')
  t.equal(packageOf('darwin-x64', locald), native)
  t.equal(packageOf('darwin-arm64', locald), undefined)
})
