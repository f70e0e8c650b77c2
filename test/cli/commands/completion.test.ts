import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder, locald } from '../fake-daemon.ts'

/** What each shell offers after a command line; `script` is the path of the completion. */
const shells: Readonly<Record<string, (script: string, words: readonly string[]) => string>> = {
  bash: (script, words) =>
    `. ${script}; COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
    _locald; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Its completion functions run in the line editor only.
  zsh: (script, words) =>
    `compdef() { : }; _describe() { print -l -- \${\${(P)2}%%:*} }; . ${script}
    words=(${words.map(word => `'${word}'`).join(' ')}); CURRENT=${words.length}; _locald`,
  fish: (script, words) => `source ${script}; complete -C '${words.join(' ')}' | string replace -r '\\t.*' ''`,
}

for (const [shell, commandOf] of Object.entries(shells)) {
  const isMissing = spawnSync(shell, ['-c', 'true']).status !== 0
  t.test(
    `completes commands, subcommands and flags in ${shell}`,
    { skip: isMissing && `${shell} is missing` },
    async t => {
      const home = folder(t)
      const script = join(home, 'completion')
      const ran = await locald(['completion', shell], { home })
      t.match(ran, { code: 0, stderr: '' })
      writeFileSync(script, ran.stdout)
      const complete = (...words: readonly string[]) => {
        const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home }
        const { stdout, stderr } = spawnSync(shell, ['-c', commandOf(script, ['locald', ...words])], {
          encoding: 'utf8',
          env,
        })
        t.equal(stderr, '', words.join(' '))
        return stdout.trimEnd().split('\n')
      }
      const first = complete('')
      for (const word of ['up', 'status', 'server', 'db', 'untrust']) t.ok(first.includes(word), word)
      t.strictSame(complete('server', '').sort(), ['install', 'restart', 'shutdown', 'start', 'status', 'uninstall'])
      const flags = complete('logs', 'web', '--')
      for (const flag of ['--follow', '--since', '--sandbox']) t.ok(flags.includes(flag), flag)
      t.notOk(flags.includes('--detach'))
    },
  )
}

t.test('refuses an unknown shell with the known ones', async t => {
  t.match(await locald(['completion', 'tcsh'], { home: folder(t) }), {
    code: 2,
    stderr: "Error: unknown shell 'tcsh' [USAGE]\nHint: Use one of bash, zsh, fish.\n",
  })
})
