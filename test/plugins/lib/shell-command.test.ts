import { execFileSync } from 'node:child_process'
import t from 'tap'
import { shellCommand } from '../../../plugins/lib/shell-command.ts'
import { cleanEnvironment } from '../../lib/keeper.ts'
import '../exec-runtime/harness.ts'

t.test('passes DYLD_ variables to the command, though /bin/sh loses them on macOS', async t => {
  const [name, value] = ['DYLD_FALLBACK_LIBRARY_PATH', '/opt/homebrew/lib; "$HOME"']
  const { argv, env } = shellCommand('printenv', { ...cleanEnvironment(), [name]: value })
  t.notMatch(argv.join(' '), 'homebrew', 'as no words')
  // Without it, as /bin/sh starts there.
  const { [name]: _, ...left } = env
  const [shell, ...words] = argv
  const lines = execFileSync(shell, words, { env: left, encoding: 'utf8' }).split('\n')
  t.strictSame(
    lines.filter(line => line.includes('DYLD_')),
    [`${name}=${value}`],
  )
  t.strictSame(shellCommand('true', { PATH: '/bin' }), { argv: ['/bin/sh', '-c', 'true'], env: { PATH: '/bin' } })
})
