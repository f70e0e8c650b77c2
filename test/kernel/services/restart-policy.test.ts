import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Exit } from '../../../kernel/contract/plugin.ts'
import {
  crashLimit,
  exitText,
  firstDelayMs,
  longestDelayMs,
  RestartPolicy,
  steadyMs,
} from '../../../kernel/services/restart-policy.ts'
import { hostTable, setsid } from '../../lib/machine.ts'
import { listen } from '../../lib/ports.ts'
import { TestProject } from '../../lib/test-service.ts'

const table = hostTable()

t.test('exits', async t => {
  t.test('the reason contains the cause printed by the last run', async t => {
    const project = new TestProject(t, { table })
    const fails = await project.service('fails', { command: 'echo "Error: no database"; exit 3', worker: true })
    const missing = await project.service('missing', { command: 'nodee server.js', worker: true })
    const address = (await listen(t, 0)).address()
    const taken = typeof address === 'object' ? address?.port : undefined
    const port = await project.service('port', {
      command: `echo "Error: listen EADDRINUSE: address already in use :::${taken}"; exit 1`,
      worker: true,
    })
    const asks = await project.service('asks', { command: 'printf "Use another port? (y/N) "; exec sleep 1000' })
    for (const one of [fails, missing, port, asks]) one.start()
    t.equal((await fails.until('failed')).reason, 'exited with code 3: Error: no database')
    t.equal((await missing.until('failed')).reason, 'exited with code 127: command not found: nodee')
    t.match((await port.until('failed')).reason, new RegExp(`EADDRINUSE.*in use by .*pid ${process.pid}`))
    t.match(await asks.untilReason(/question/), /^connection refused on .*: Use another port\? \(y\/N\)$/)
  })

  t.test('restarts after crashes with growing delays, then gives up', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', { command: 'exit 1', worker: true, restart: 'on-failure' })
    web.start()
    t.match(await web.until('failed'), {
      reason: 'gave up after 5 crashes in 60 s (last: exited with code 1)',
      restarts: 4,
      pid: null,
    })
    const reasons = project.views.filter(({ status }) => status === 'restarting').map(({ reason }) => reason)
    t.strictSame(
      [...new Set(reasons)],
      ['0.1', '0.2', '0.4', '0.8'].map(
        (delay, index) => `exited with code 1; restarting in ${delay} s (attempt ${index + 1} of 5)`,
      ),
    )
    t.equal(project.hooksRun.filter(name => name === 'gone web').length, 5)
    web.start()
    t.equal((await web.until('restarting')).restarts, 1, 'starts over on request')
  })

  t.test('restarts according to the policy', async t => {
    const project = new TestProject(t, { table })
    const end = async (restart: 'no' | 'on-failure' | 'always', code: number) => {
      const web = await project.service(`${restart}-${code}`, { command: `exit ${code}`, worker: true, restart })
      web.start()
      await web.state.until(() => ['exited', 'failed', 'restarting'].includes(web.state.now.status))
      return web.state.now.status
    }
    t.equal(await end('no', 0), 'exited')
    t.equal(await end('no', 1), 'failed')
    t.equal(await end('on-failure', 0), 'exited')
    t.equal(await end('always', 0), 'restarting')
  })

  t.test('a policy changed while running applies to the exit', async t => {
    const project = new TestProject(t, { table })
    const web = await project.service('web', {
      command: 'while ! test -e go; do sleep 0.02; done; exit 1',
      worker: true,
      restart: 'always',
    })
    web.start()
    await web.until('running')
    const { plan } = web.plan
    web.service.supervisor.update({ ...web.plan, plan: { ...plan, common: { ...plan.common, restart: 'no' } } })
    writeFileSync(join(project.dir, 'go'), '')
    t.equal((await web.until('failed')).reason, 'exited with code 1')
  })

  t.test('the arithmetic of the backoff', async t => {
    const policy = new RestartPolicy()
    const crash: Exit = { code: null, signal: 'SIGSEGV' }
    const delays: number[] = []
    let now = 0
    for (let round = 0; round < 12; round++) {
      now += 61_000
      const decision = policy.decide('on-failure', crash, 5000, now)
      if (decision.kind === 'restart') delays.push(decision.delayMs)
    }
    t.strictSame(
      delays,
      [1, 2, 4, 8, 16, 32, 64, 100, 100, 100, 100, 100].map(times => times * firstDelayMs),
    )
    t.equal(delays.at(-1), longestDelayMs)
    t.match(policy.decide('on-failure', crash, steadyMs, now + 61_000), { delayMs: firstDelayMs })
    policy.forget()
    for (let round = 1; round < crashLimit; round++)
      t.match(policy.decide('always', { code: 0, signal: null }, 0, now + round), { kind: 'restart' })
    t.match(policy.decide('always', { code: 0, signal: null }, 0, now + 9), {
      kind: 'failed',
      reason: /gave up after 5 exits in 60 s/,
    })
    t.equal(exitText(crash), 'terminated by SIGSEGV')
    t.match(exitText({ code: null, signal: null }), 'while the daemon was down')
  })

  t.test('keeps a daemonized service with a port; stops leftovers of workers and failed services', async t => {
    const project = new TestProject(t, { table })
    const background = `${setsid} ${project.serverCommand.replace('exec ', '')} & sleep 0.1; exit 0`
    const web = await project.service('web', { command: background })
    web.start()
    await web.until('running', 'healthy')
    // Its port may answer before the end of its main process is seen.
    await web.state.until(() => web.state.now.pid === null, AbortSignal.timeout(15_000))
    t.match(project.warnings, [/^main process of web exited with code 0; tracking its remaining child processes$/])
    await web.stop()
    const bad = await project.service('bad', {
      command: `sh -c 'trap "" TERM; echo deaf; while :; do sleep 0.1; done' & sleep 0.5; exit 7`,
      worker: true,
      restart: 'no',
      stopTimeout: 2_000,
    })
    bad.start()
    await bad.untilReason(/^main process exited with code 7; terminating leftover processes$/)
    t.match(bad.state.view(), { status: 'running', pid: null })
    await bad.until('failed')
    t.match(bad.state.view(), { reason: 'exited with code 7' })
    t.equal(project.warnings.length, 1, 'it was not taken for one in the background')
    const worker = await project.service('worker', { command: 'sleep 1000 & exit 0', worker: true })
    worker.start()
    await worker.until('exited')
  })
})
