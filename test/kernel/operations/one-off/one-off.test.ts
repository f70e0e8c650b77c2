import { rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Argv, Run } from '../../../../kernel/contract/plugin.ts'
import { prepareOneOff } from '../../../../kernel/operations/one-off/one-off.ts'
import { type GuestOptions, guestType } from '../../../lib/guest.ts'
import { serviceOf, start, TestKernel, until } from '../../projects/harness.ts'

const guest = {
  ...guestType(),
  oneOff: (run: Run<GuestOptions>, argv: Argv, { tty }: { readonly tty: boolean }) => ({
    argv: ['enter', run.name, ...(tty ? ['-t'] : []), ...argv] as const,
    env: { ENGINE: 'socket' },
  }),
}

async function projectOf(t: Test) {
  const kernel = new TestKernel(t, [guest, { ...guestType(), type: 'sealed' }])
  const toml = `[project]\nname = "shop"\n[services.cache]\ntype = "guest"\ninside = 1\n[services.box]\ntype = "sealed"
[services.web]\nenv = { A = "b" }\n`
  const folder = t.testdir({ 'locald.toml': toml })
  const project = await kernel.project(folder)
  const projects = {
    target: async (_: string, name: string) => ({ project, service: serviceOf(project, name) }),
    targets: async ({ services = [] }: { readonly services?: readonly string[] }) => [{ project, names: services }],
  }
  const oneOff = (service: string, more: object = {}) =>
    prepareOneOff(projects, { path: folder, service, env: {}, argv: ['ls', '-l', ''], ...more })
  return { project, folder, oneOff }
}

t.test('a type runs commands in its own way while the service runs', async t => {
  const { project, folder, oneOff } = await projectOf(t)
  await t.rejects(oneOff('cache'), {
    ...{ code: 'SERVICE_NOT_RUNNING', message: 'cache is not running: commands run inside it' },
    ...{ hint: 'Run `locald up cache` first.', service: 'shop:cache' },
  })
  await start(project, 'cache')
  await until(serviceOf(project, 'cache'), ({ health }) => health === 'healthy')
  const answer = { dir: folder, env: { ENGINE: 'socket' }, notRunning: [] }
  t.strictSame(await oneOff('cache'), { ...answer, argv: ['enter', 'cache', 'ls', '-l', ''] })
  t.strictSame(await oneOff('cache', { tty: true }), { ...answer, argv: ['enter', 'cache', '-t', 'ls', '-l', ''] })
})

t.test('a command beside a service of this machine is run as it is', async t => {
  const { folder, oneOff } = await projectOf(t)
  const { argv, dir, env } = await oneOff('web')
  t.equal(argv, undefined)
  t.equal(dir, folder)
  t.match(env, { A: 'b' })
})

t.test('a command that only needs services gets the environment of the one that reaches them', async t => {
  const { project, folder } = await projectOf(t)
  const projects = { target: () => t.fail(), targets: async () => [{ project, names: ['cache'] }] }
  const body = { path: '/elsewhere', with: ['cache'], env: { MINE: '1' }, argv: ['ls'] }
  const stub = { ...projects, target: async () => ({ project, service: serviceOf(project, 'web') }) }
  t.comment('no service of this machine reaches the guest')
  const alone = await prepareOneOff(stub, body)
  t.match(alone, { dir: '/elsewhere', notRunning: ['shop:cache'], env: { MINE: '1', A: undefined } })
  t.equal(alone.argv, undefined)
  t.comment('the one that does')
  const stubOf = (names: readonly string[]) => ({ ...stub, targets: async () => [{ project, names }] })
  const beside = await prepareOneOff(stubOf(['web']), body)
  t.match(beside, { dir: '/elsewhere', notRunning: ['shop:web'], env: { A: 'b' } })
  t.equal(beside.env['PORT'], undefined)
  t.match(folder, /./)
})

t.test('a guest whose type cannot run commands does not run them on this machine', async t => {
  const { oneOff } = await projectOf(t)
  await t.rejects(oneOff('box'), { code: 'USAGE', message: "services of type 'sealed' cannot run commands" })
})

t.test('a command whose folder is missing is refused, an environment without a command is not', async t => {
  const { folder, oneOff } = await projectOf(t)
  rmSync(folder, { recursive: true })
  await t.rejects(oneOff('web'), {
    ...{ code: 'SPAWN_FAILED', message: `the folder of 'web' is missing: ${folder}`, service: 'shop:web' },
    ...{ hint: "Check the service's workdir in locald.toml." },
  })
  t.match(await oneOff('web', { argv: undefined }), { dir: folder, env: { A: 'b' } })
})
