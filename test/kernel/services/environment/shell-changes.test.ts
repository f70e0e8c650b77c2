import t from 'tap'
import { shellWarning } from '../../../../kernel/services/environment/shell-changes.ts'

const before = { PATH: '/a', NODE_ENV: 'development', TERM: 'xterm', PWD: '/one', PORT: '1' }

t.test('reports shell variables changed since the start, once for all services', t => {
  const after = { PATH: '/b', TERM: 'dumb', PWD: '/two', PORT: '1', SSH_TTY: '/dev/pts/1' }
  const warning = shellWarning([
    { name: 'web', before, after },
    { name: 'api', before, after },
    { name: 'new', before: after, after },
  ])
  t.strictSame(warning, {
    message: 'NODE_ENV and PATH changed in this shell since web and api were started',
    hint: 'Run `locald restart web api` to apply it.',
  })
  t.end()
})

t.test('ignores variables of the terminal', t => {
  t.equal(shellWarning([{ name: 'web', before, after: { ...before, TERM: 'dumb', TMUX_PANE: '1' } }]), undefined)
  const windows = { GNOME_TERMINAL_SCREEN: '/1', WT_SESSION: '1', WSL_INTEROP: '/run/1', LC_TERMINAL_VERSION: '3' }
  t.equal(shellWarning([{ name: 'web', before, after: { ...before, ...windows } }]), undefined)
  const app = {
    LaunchInstanceID: 'A',
    COMMAND_MODE: 'unix2003',
    MallocNanoZone: '0',
    GIT_ASKPASS: '/Applications/Code',
  }
  t.equal(shellWarning([{ name: 'web', before, after: { ...before, ...app } }]), undefined, 'apps of macOS')
  const shell = (id: number, more = '') => ({ PATH: `/run/fnm_multishells/${id}_17/bin:/bin${more}` })
  t.equal(shellWarning([{ name: 'web', before: shell(1), after: shell(2) }]), undefined, 'a folder for each shell')
  t.match(shellWarning([{ name: 'web', before: shell(1), after: shell(2, ':/x') }]), { message: /^PATH changed/ })
  t.end()
})

t.test('counts many changes', t => {
  const after = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`A${index}`, '1']))
  t.match(shellWarning([{ name: 'web', before: {}, after }])?.message, /^A0, A1, A2, A3 and 5 more changed .* web was /)
  t.end()
})
