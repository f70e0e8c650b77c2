import t from 'tap'
import { cleanName, detectAgent } from '../../cli/agent.ts'

t.test('knows agents by their variables, and people where these are theirs, too', async t => {
  const named = {
    'claude-code': { CLAUDECODE: '1' },
    codex: { CODEX_SANDBOX: 'seatbelt' },
    cursor: { CURSOR_AGENT: '1', CURSOR_TRACE_ID: 'x' },
    'gemini-cli': { GEMINI_CLI: '1' },
    opencode: { OPENCODE: '1' },
    mine: { AI_AGENT: 'mine', CLAUDECODE: '1' },
    robot: { LOCALD_AGENT: 'robot' },
  }
  for (const [name, env] of Object.entries(named)) t.equal(detectAgent(env), name)
  for (const env of [
    {},
    { CURSOR_TRACE_ID: 'x' },
    { REPL_ID: 'x' },
    { CLAUDECODE: '' },
    { CLAUDECODE: '0' },
    { LOCALD_AGENT: '0', CLAUDECODE: '1', AI_AGENT: 'mine' },
  ])
    t.equal(detectAgent(env), undefined, JSON.stringify(env))
})

t.test('shortens a name to one line that a lease may have', async t => {
  t.equal(detectAgent({ AI_AGENT: 'x'.repeat(300) }), 'x'.repeat(100))
  t.equal(detectAgent({ AI_AGENT: '\u001b[31mmine\u001b[0m\n ok' }), 'mine ok')
  t.equal(detectAgent({ AI_AGENT: '\n' }), 'agent')
  t.equal(cleanName('\u0007a\u0000b\n'), 'a b')
})
