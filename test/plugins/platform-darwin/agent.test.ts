import t from 'tap'
import { agentCheck } from '../../../plugins/platform-darwin/agent.ts'
import { launchctlProgram } from '../../../plugins/platform-darwin/launchctl.ts'

t.test('uses the system’s launchctl, except in a sandbox', async t => {
  t.equal(launchctlProgram(undefined), '/bin/launchctl')
  t.equal(launchctlProgram('box'), 'launchctl')
})

t.test('warns on macOS 27 without an agent: the daemon stops with its app', async t => {
  const home = t.testdir({})
  const launchctl = async () => ({ code: 113, text: '' })
  const check = (release: number, env: NodeJS.ProcessEnv = {}) =>
    agentCheck({ uid: 501, env: { HOME: home, ...env }, launchctl, release }).run()
  t.match(await check(27), { status: 'warn', summary: /^macOS 27 stops the daemon/, fix: /`locald server install`/ })
  t.match(await check(27, { XPC_SERVICE_NAME: 'dev.locald.run.1' }), { status: 'pass' }, 'launchd started it')
  t.match(await check(27, { XPC_SERVICE_NAME: '0' }), { status: 'warn' }, 'as in Terminal')
  t.match(await check(25), { status: 'skip' })
  t.match(await check(0), { status: 'skip' })
})
