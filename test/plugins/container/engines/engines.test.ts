import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { LocaldError } from '../../../../kernel/errors.ts'
import { CliEngine } from '../../../../plugins/container/engines/cli-engine.ts'
import { Engines } from '../../../../plugins/container/engines/engines.ts'
import { RememberedEngines } from '../../../../plugins/container/engines/remembered.ts'
import type { Engine, EngineFound, EngineSource } from '../../../../plugins/container/provides.ts'
import { until } from '../../../lib/running.ts'
import { machineOf, writeProgram } from './machine.ts'

const shop = { name: 'shop', path: '/home/me/shop' }
const ignore = () => {}
const never = new AbortController().signal
const none: EngineFound = { state: 'absent', reason: 'vm is not installed', hint: 'Install it.' }

/** An engine that a test switches on and off. */
class SwitchedEngine implements EngineSource {
  readonly name: string
  readonly isInstalled = () => true
  found: EngineFound = none
  opened = 0
  wait: Promise<void> = Promise.resolve()

  constructor(name: string, state?: 'running' | 'startable') {
    this.name = name
    if (state !== undefined) this.found = { state, version: '1.0' }
  }

  async look(): Promise<EngineFound> {
    return this.found
  }

  async open(step: (text: string) => void): Promise<Engine> {
    this.opened++
    step(`start ${this.name}`)
    await this.wait
    const { name } = this
    const facts = { name, dialect: 'nerdctl', version: '1.0', program: '/bin/true', env: {}, isNative: false } as const
    return new CliEngine(
      { ...facts, hostName: undefined, shares: async () => true },
      machineOf({ home: '/none' }).files,
    )
  }
}

interface Given {
  readonly home: string
  readonly env?: Readonly<Record<string, string>>
  readonly setting?: string
}

function enginesOf({ home, env = {}, setting }: Given, ...sources: readonly EngineSource[]): Engines {
  const remembered = new RememberedEngines(join(home, 'engines.json'), { warn: ignore })
  const engines = new Engines({ machine: machineOf({ home, env }), setting, remembered })
  for (const source of sources) engines.add(source)
  return engines
}

t.test('the version of an engine is known once it was used', async t => {
  const engines = enginesOf({ home: t.testdir() }, new SwitchedEngine('vm', 'running'), new SwitchedEngine('other'))
  t.same(engines.known(), ['vm', 'other'])
  await engines.of(shop, ignore, never)
  t.same(engines.known(), ['vm 1.0', 'other'])
})

t.test('an engine that runs precedes one that can be started', async t => {
  const engines = enginesOf(
    { home: t.testdir() },
    new SwitchedEngine('cold', 'startable'),
    new SwitchedEngine('warm', 'running'),
  )
  t.match(await engines.choose(undefined), { source: { name: 'warm' }, why: 'already running' })
  const cold = enginesOf({ home: t.testdir() }, new SwitchedEngine('off'), new SwitchedEngine('cold', 'startable'))
  t.match(await cold.choose(undefined), { source: { name: 'cold' }, why: 'started on demand' })
})

t.test('the setting is used, and fails with the reason of its engine', async t => {
  const warm = new SwitchedEngine('warm', 'running')
  const cold = new SwitchedEngine('cold', 'startable')
  const home = t.testdir()
  t.match(await enginesOf({ home, setting: 'cold' }, warm, cold).choose(undefined), { source: { name: 'cold' } })
  cold.found = none
  await t.rejects(enginesOf({ home, setting: 'cold' }, warm, cold).choose(undefined), {
    code: 'ENGINE_FAILED',
    message: '`[plugins.container] engine` names cold: vm is not installed',
    hint: 'Install it.',
  })
  await t.rejects(enginesOf({ home, setting: 'podmna' }).choose(undefined), {
    message: "`[plugins.container] engine`: unknown container engine 'podmna'",
    hint: "Use 'podman', if that is meant.",
  })
})

t.test('a variable that names an engine of another machine is refused', async t => {
  const home = t.testdir()
  const PATH = writeProgram(home, 'docker', 'exit 1')
  const engines = enginesOf(
    { home, env: { PATH, DOCKER_HOST: 'tcp://build:2376' } },
    new SwitchedEngine('warm', 'running'),
  )
  await t.rejects(engines.choose(undefined), {
    code: 'ENGINE_FAILED',
    message: 'DOCKER_HOST names docker: DOCKER_HOST is on another machine (tcp://build:2376)',
    hint: /Unset DOCKER_HOST/,
  })
  const without = enginesOf({ home, env: { DOCKER_HOST: 'tcp://build:2376' } }, new SwitchedEngine('warm', 'running'))
  t.match(
    await without.choose(undefined),
    { source: { name: 'warm' } },
    "docker's variable counts where docker is installed",
  )
})

t.test('DOCKER_HOST with the socket of podman means podman', async t => {
  const home = t.testdir()
  writeProgram(home, 'podman', 'echo podman version 5.0.0')
  const PATH = `${writeProgram(home, 'docker', 'echo Docker version 28.0.0')}:/usr/bin:/bin`
  const engines = enginesOf({ home, env: { PATH, DOCKER_HOST: 'unix:///run/user/1000/podman/podman.sock' } })
  t.match(await engines.choose(undefined), { source: { name: 'podman' }, why: 'DOCKER_HOST names it' })
})

t.test('a project stays with its engine when another one appears', async t => {
  const home = t.testdir()
  const [first, second] = [new SwitchedEngine('first'), new SwitchedEngine('second', 'running')]
  const engines = enginesOf({ home }, first, second)
  t.equal((await engines.of(shop, ignore, never)).name, 'second')
  first.found = { state: 'running', version: '1.0' }
  t.equal((await engines.of(shop, ignore, never)).name, 'second')
  t.equal(
    (await enginesOf({ home }, first, second).of(shop, ignore, never)).name,
    'second',
    'with the next daemon, too',
  )
  t.equal((await engines.of({ name: 'new', path: '/new' }, ignore, never)).name, 'first')
  t.same(JSON.parse(readFileSync(join(home, 'engines.json'), 'utf8')), {
    projects: { '/home/me/shop': { engine: 'second', isSet: false }, '/new': { engine: 'first', isSet: false } },
  })
})

t.test('another engine needs the command that sets it', async t => {
  const home = t.testdir()
  const [first, second] = [new SwitchedEngine('first', 'running'), new SwitchedEngine('second', 'running')]
  await enginesOf({ home }, first, second).of(shop, ignore, never)
  const engines = enginesOf({ home, setting: 'second' }, first, second)
  await t.rejects(engines.of(shop, ignore, never), {
    code: 'ENGINE_FAILED',
    message: "project 'shop' has its containers in first, and `[plugins.container] engine` names second",
    hint: /^Run `locald container engine second` to change to it, or `locald container engine first` to stay/,
  })
  engines.set(shop.path, 'first')
  t.equal((await engines.of(shop, ignore, never)).name, 'first', 'the project counts more than the setting')
  engines.set(shop.path, 'second')
  t.equal((await engines.of(shop, ignore, never)).name, 'second')
  t.same(engines.enginesOf(shop.path), ['second', 'first'], 'volumes may be left in the earlier one')
  t.same(enginesOf({ home }, first, second).enginesOf(shop.path), ['second', 'first'])
  t.throws(() => engines.set(shop.path, 'third'), { code: 'ENGINE_FAILED' })
})

t.test("where a project's engine does not run, its error names another one that does", async t => {
  const home = t.testdir()
  const first = new SwitchedEngine('first', 'running')
  await enginesOf({ home }, first).of(shop, ignore, never)
  const second = new SwitchedEngine('second', 'running')
  first.wait = Promise.reject(new LocaldError('ENGINE_FAILED', 'first does not run', { hint: 'Start it.' }))
  const engines = enginesOf({ home }, first, second)
  await t.rejects(engines.of(shop, ignore, never), {
    message: 'first does not run',
    hint: 'Start it. Or run `locald container engine second`: the volumes in first stay there.',
  })
  t.equal(second.opened, 0)
})

t.test('an engine is opened once for all that wait, and again after a failure', async t => {
  const vm = new SwitchedEngine('vm', 'startable')
  const engines = enginesOf({ home: t.testdir() }, vm)
  let fail: (error: Error) => void = ignore
  vm.wait = new Promise((_, reject) => {
    fail = reject
  })
  const leaving = new AbortController()
  const steps: string[] = []
  const [one, two] = [
    engines.of(shop, text => steps.push(`one: ${text}`), leaving.signal),
    engines.of(shop, text => steps.push(`two: ${text}`), never),
  ]
  const refused = t.rejects(two, { message: 'no memory' })
  await until('both to wait', () => steps.length === 2)
  leaving.abort(new Error('left'))
  await t.rejects(one, { message: 'left' })
  fail(new Error('no memory'))
  await refused
  t.equal(vm.opened, 1)
  t.same([...steps].sort(), ['one: start vm', 'two: start vm'])
  t.equal(engines.remembered(shop.path), undefined, 'what failed is not remembered')
  vm.wait = Promise.resolve()
  await engines.of(shop, ignore, never)
  t.equal(vm.opened, 2)
})

t.test('a corrupt list of engines is kept under another name, with a warning', async t => {
  const home = t.testdir()
  const file = join(home, 'engines.json')
  writeFileSync(file, '{ "projects": ')
  const warnings: string[] = []
  const remembered = new RememberedEngines(file, { warn: text => warnings.push(text) })
  t.equal(remembered.get('/a'), undefined)
  t.match(warnings, [/corrupt: kept as .*engines\.json\.damaged-\d+/])
  remembered.set('/a', { engine: 'podman', isSet: true })
  t.same(new RememberedEngines(file, { warn: ignore }).get('/a'), { engine: 'podman', isSet: true })
  remembered.forget('/a')
  t.same(new RememberedEngines(file, { warn: ignore }).paths(), [])
})
