import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { WhyAnswer } from '../../kernel/protocol.ts'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { root } from '../lib/user.ts'
import { type Breakage, type BrokenShop, breakages, secret } from './breakages.ts'
import { onHost } from './suite.ts'

const example = join(root, 'examples', 'shop')
if (!existsSync(join(example, 'node_modules')))
  throw new Error(`run \`npm ci\` in ${example}, or all tests by \`npm test\``)

/** Packages of the page alone, and what no package needs when it runs: four fifths of the files. */
const isUnused =
  /\/node_modules\/(?:(?:@rolldown|@oxc|rolldown|vite|lightningcss|postcss|lit-html)|.*(?:\/(?:tests?|docs|examples?|benchmarks?)$|\.(?:d\.[cm]?ts|ts|md|map|yml)$))/

/** All breakages after each other: ms. */
const limitMs = 400_000

onHost(
  'the cause of a failure is the first fact',
  async (t, machine) => {
    const sandbox = machine.sandbox({
      env: {
        ...{ GIT_AUTHOR_NAME: 'Ann', GIT_AUTHOR_EMAIL: 'ann@example.org' },
        ...{ GIT_COMMITTER_NAME: 'Ann', GIT_COMMITTER_EMAIL: 'ann@example.org', GIT_CONFIG_NOSYSTEM: '1' },
      },
    })
    sandbox.write(
      join(sandbox.home, 'bin', 'locald'),
      `#!/bin/sh\nexec "${process.execPath}" "${sandbox.main}" "$@"\n`,
      0o755,
    )
    sandbox.copy(join(example, 'node_modules'), 'packages/node_modules', path => !isUnused.test(path))
    for (const [index, breakage] of breakages.entries())
      await t.test(breakage.title, async t => await tryBreakage(t, sandbox, breakage, index))
  },
  { timeout: limitMs },
)

async function tryBreakage(t: Test, sandbox: Sandbox, breakage: Breakage, index: number): Promise<void> {
  const shop = await makeShop(sandbox, breakage, `shop${index}`)
  const { folder } = shop
  // `api` alone is a folder.
  const target = ['.', 'api']
  await sandbox.up(folder, target)
  await wasRecorded(sandbox, folder)
  await breakage.break(shop)
  const env = breakage.env?.(shop) ?? {}
  const failed = await sandbox.run(['restart', ...(breakage.restarted ?? ['api'])], { cwd: folder, env })
  t.equal(failed.code, 1, failed.stdout)
  const answer = await whyOf(sandbox, folder)
  const [first] = answer.changes ?? []
  t.match(first?.text, breakage.text, JSON.stringify(answer, undefined, 1))
  t.match(first?.command, breakage.command)
  t.ok((answer.changes ?? []).length <= 8)
  t.notMatch(JSON.stringify(answer), secret)
  for (const file of readdirSync(recordsOf(sandbox)))
    t.notMatch(readFileSync(join(recordsOf(sandbox), file), 'utf8'), secret, file)
  const shown = `${first?.text}\n     $ ${first?.command}`
  // Below its own service, without the name of that.
  t.match(failed.stderr, `1. ${shown.replace(/^stock: /, '')}`, '`restart` prints it, as `up` does')
  t.match((await sandbox.ok(['why', 'api'], { cwd: folder })).stdout, `1. ${shown}`, '`why` prints it')
  const command = first?.command ?? ''
  if (breakage.does !== 'none') await shop.sh(command)
  if (breakage.does === 'undo') {
    await sandbox.up(folder, target)
    t.notOk((await whyOf(sandbox, folder)).changes, 'nothing is wrong any more')
  }
  await sandbox.ok(['stop'], { cwd: folder })
}

/** Copies the API and the stock of the shop as a repository of its own, with what the breakage adds. */
async function makeShop(sandbox: Sandbox, breakage: Breakage, name: string): Promise<BrokenShop> {
  const isCopied = (path: string) => breakage.breaksPackages === true || path !== join(example, 'node_modules')
  const folder = sandbox.copy(example, join(name, 'shop'), path => isCopied(path) && !isUnused.test(path))
  if (!breakage.breaksPackages)
    symlinkSync(join(sandbox.home, 'packages', 'node_modules'), join(folder, 'node_modules'))
  const sh = async (command: string): Promise<string> => {
    const env = { PATH: `${join(sandbox.home, 'bin')}:${sandbox.env['PATH']}` }
    const ran = await sandbox.spawn(['/bin/sh', '-c', command], { cwd: folder, env }).done
    if (ran.code === 0) return ran.stdout
    throw new Error(`${command}: ${ran.code}\n${ran.stdout}${ran.stderr}`)
  }
  const shop = { sandbox, folder, sh }
  const toml = readFileSync(join(folder, 'locald.toml'), 'utf8')
  // One crash is enough, and a change of a file must not be found before all of them are there.
  const api = toml.replace('name = "shop"', `name = "${name}"`).replaceAll(/^watch = .*$/gm, 'restart = "no"')
  writeFileSync(join(folder, 'locald.toml'), api)
  const files = { '.gitignore': 'node_modules\n', ...breakage.files }
  for (const [path, text] of Object.entries(files)) sandbox.write(join(folder, path), text)
  const server = join(folder, 'api', 'server.js')
  if (breakage.code !== undefined) writeFileSync(server, `${breakage.code}\n${readFileSync(server, 'utf8')}`)
  await breakage.prepare?.(shop)
  await sh('git init -q -b main . && git add -A && git commit -qm "The shop"')
  return shop
}

/** Waits until the API's present run is recorded as healthy. */
async function wasRecorded(sandbox: Sandbox, folder: string): Promise<void> {
  const { startedAt } = await sandbox.service(folder, 'api')
  const records = recordsOf(sandbox)
  const isOfRun = (file: string) => {
    const record: { readonly startedMs: number } = JSON.parse(readFileSync(join(records, file), 'utf8'))
    return Math.trunc(record.startedMs) === Date.parse(startedAt ?? '')
  }
  await until('the record of the healthy service', () => {
    return existsSync(records) && readdirSync(records).some(file => file.endsWith('.json') && isOfRun(file))
  })
}

function recordsOf(sandbox: Sandbox): string {
  return join(resolvePaths({ env: sandbox.env }).data, 'well')
}

async function whyOf(sandbox: Sandbox, folder: string): Promise<WhyAnswer> {
  return JSON.parse((await sandbox.ok(['why', 'api', '--json'], { cwd: folder })).stdout)
}
