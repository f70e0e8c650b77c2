/** The data of projects whose folder was deleted: listed, and removed only when that is asked for. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CleanAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { PseudoTerminal } from '../lib/pseudo-terminal.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { on } from './suite.ts'

const toml = (name: string) =>
  `[project]\nname = "${name}"\n[services.job]\ntype = "worker"\ncommand = "exec sleep 100004"\n`

/** Starts and stops a project, and gives one of its services data. */
async function projectWithData(box: Sandbox, name: string) {
  const folder = box.project(name, { 'locald.toml': toml(name) })
  await box.up(folder)
  await box.ok(['stop'], { cwd: folder })
  const data = join(resolvePaths({ env: box.env }).data, 'services', name)
  box.write(join(data, 'db', 'table'), 'x'.repeat(5000))
  return { folder, data }
}

async function clean(box: Sandbox, ...flags: readonly string[]): Promise<CleanAnswer> {
  return JSON.parse((await box.ok(['registry', 'clean', '--json', ...flags])).stdout)
}

const namesOf = (projects: readonly { readonly name: string }[]) => projects.map(({ name }) => name).sort()

on('linux', 'clean removes the data of deleted folders with --data, and of no other', async (t, machine) => {
  const box = machine.sandbox()
  const [stays, renamed, deleted, taken] = [
    await projectWithData(box, 'stays'),
    await projectWithData(box, 'renamed'),
    await projectWithData(box, 'deleted'),
    await projectWithData(box, 'taken'),
  ]
  renameSync(renamed.folder, `${renamed.folder}-now`)
  rmSync(deleted.folder, { recursive: true })
  rmSync(taken.folder, { recursive: true })
  // The same name in another folder: the data is that of the project there.
  const again = box.project('again', { 'locald.toml': toml('taken') })
  await box.up(again)

  t.comment('what is not named stays, and so does its project')
  const first = await clean(box)
  t.strictSame(namesOf(first.kept), ['deleted'])
  t.match(first.data, [{ project: 'deleted', path: deleted.data, removed: false }])
  t.ok((first.data[0]?.bytes ?? 0) >= 5000)
  t.notOk(
    first.removed.some(({ project }) => project === 'deleted'),
    'nor are its logs removed',
  )
  t.match(await box.ok(['registry', 'clean']), {
    stdout: 'Nothing to forget\n',
    stderr: /^Kept the data of deleted \([\d.]+K\): \/.*; run `locald registry clean --data` to remove it\n$/,
  })

  t.comment('--dry-run lists it')
  t.match(await box.ok(['registry', 'clean', '--dry-run', '--data']), {
    stdout:
      /^Would forget deleted\nWould remove the logs of deleted .*\nWould remove the data of deleted \([\d.]+K\): \//,
    stderr: '',
  })
  t.ok(existsSync(deleted.data))

  t.match(await clean(box, '--data'), {
    forgotten: [{ name: 'deleted' }],
    data: [{ project: 'deleted', removed: true }],
    kept: [],
  })
  t.notOk(existsSync(deleted.data))
  for (const { data } of [stays, renamed, taken]) t.ok(existsSync(join(data, 'db', 'table')), data)
})

on('linux', 'clean asks on a terminal before it removes data', async (t, machine) => {
  // A terminal is opened as the user who runs the tests.
  const box = machine.sandbox({ user: 'self' })
  const { folder, data } = await projectWithData(box, 'shop')
  rmSync(folder, { recursive: true })
  for (const [key, isLeft] of [
    ['\r', true],
    ['y\r', false],
  ] as const) {
    const terminal = new PseudoTerminal(t, [process.execPath, box.main, 'registry', 'clean'], {
      cwd: box.home,
      env: box.env,
      columns: 200,
    })
    await terminal.shows('Delete the data of shop (')
    terminal.press(key)
    t.equal((await terminal.exit).code, 0)
    t.equal(existsSync(data), isLeft)
  }
})
