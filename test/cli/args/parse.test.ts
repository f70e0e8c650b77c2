import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folder, locald } from '../fake-daemon.ts'

t.test('reports a wrong command line with what was meant, and exits with 2', async t => {
  const home = folder(t)
  const cases: readonly [words: string, message: string, hint: RegExp][] = [
    ['stat', "unknown command 'stat' [UNKNOWN_COMMAND]", /^Did you mean 'status'\? /],
    ['statsu', "unknown command 'statsu' [UNKNOWN_COMMAND]", /^Did you mean 'status'\? /],
    ['strat', "unknown command 'strat' [UNKNOWN_COMMAND]", /^Did you mean 'start'\? /],
    ['prune', "unknown command 'prune' [UNKNOWN_COMMAND]", /--dry-run/],
    ['registry clean --dta', "unknown flag --dta of 'locald registry clean' [USAGE]", /^See /],
    ['plugin', "unknown command 'plugin' [UNKNOWN_COMMAND]", /^Did you mean 'plugins'\? /],
    ['sotp', "unknown command 'sotp' [UNKNOWN_COMMAND]", /^See `locald --help`\.$/],
    ['kill', "unknown command 'kill' [UNKNOWN_COMMAND]", /^Run `locald stop` /],
    ['config validate', "unknown command 'config validate' [UNKNOWN_COMMAND]", /^Run `locald config check`\.$/],
    ['server stop', "unknown command 'server stop' [UNKNOWN_COMMAND]", /^Run `locald server shutdown`/],
    ['up --build', "unknown flag --build of 'locald up' [USAGE]", /^Leave it out/],
    ['stop -t 3', "unknown flag -t of 'locald stop' [USAGE]", /`stop_timeout`/],
    ['stop --al', "unknown flag --al of 'locald stop' [USAGE]", /^See `locald stop --help`\.$/],
    ['-f x up', 'unknown flag -f [USAGE]', /^Use `locald up -f FILE`/],
    ['up -f none.toml', '-f none.toml: file not found [USAGE]', /./],
    ['up . -f none.toml', '-f none.toml and the folder . exclude each other [USAGE]', /./],
    ['version 1', "unexpected argument '1' [USAGE]", /^See `locald --help`\.$/],
    ['-C none status', '-C: none: not found [USAGE]', /^Name a folder/],
    ['port web', "'web' is not a port [USAGE]", /`locald port 3000`\. Run `locald status`/],
    ['nothing-like-it', "unknown command 'nothing-like-it' [UNKNOWN_COMMAND]", /^See `locald --help`\.$/],
    ['server', "'server' needs a subcommand [UNKNOWN_COMMAND]", /`locald server shutdown`/],
    ['server strat', "unknown command 'server strat' [UNKNOWN_COMMAND]", /^Did you mean 'start'\? /],
    ['status --al', "unknown flag --al of 'locald status' [USAGE]", /^Did you mean '--all'\? /],
    ['status -x', "unknown flag -x of 'locald status' [USAGE]", /`locald status --help`/],
    ['logs -fx', "unknown flag -x of 'locald logs' [USAGE]", /`locald logs --help`/],
    ['--sandbx a status', 'unknown flag --sandbx [USAGE]', /^Did you mean '--sandbox'\? /],
    ['ping extra', "unexpected argument 'extra' [USAGE]", /^Usage: `locald ping`\./],
    ['open a b', "unexpected argument 'b' [USAGE]", /\[SERVICE\]/],
    ['why', "'locald why' needs <SERVICE> [USAGE]", /./],
    ['run web --', "'locald run' needs a command after -- [USAGE]", /./],
    ['run -- env', "'locald run' needs <SERVICE> -- <CMD…> [USAGE]", /./],
    ['logs -n', '-n needs a value: -n N [USAGE]', /./],
    ['logs --since --json', '--since needs a value: --since WHEN [USAGE]', /./],
    ['logs -n 1e3', "-n '1e3' is not a whole number [USAGE]", /./],
    ['logs --since yesterday', "--since 'yesterday' is neither a duration nor a time [USAGE]", /10s/],
    ['logs --grep (', '--grep: Invalid regular expression', /./],
    ['wait --timeout soon', "--timeout 'soon' is not a number of seconds [USAGE]", /./],
    ['up --detach=1', '--detach takes no value [USAGE]', /./],
    ['up --attach --detach', '--attach and --detach cannot be combined [USAGE]', /./],
    ['up ./none', 'folder ./none not found [USAGE]', /./],
    ['status --sandbox Not_a_name', "invalid sandbox name 'Not_a_name' [USAGE]", /./],
  ]
  const all = await Promise.all(cases.map(([words]) => locald(words.split(' '), { home })))
  for (const [index, [words, message, hint]] of cases.entries()) {
    const ran = all[index]
    t.test(words, async t => {
      if (ran === undefined) throw new Error('did not run')
      const isJson = words.includes('--json')
      const [first = '', second = '', ...more] = (isJson ? ran.stdout : ran.stderr).trimEnd().split('\n')
      t.equal(ran.code, 2)
      if (isJson) {
        t.match(JSON.parse(first), { error: { code: 'USAGE', message: message.replace(' [USAGE]', '') } })
        return
      }
      t.ok(first.startsWith(`Error: ${message}`), first)
      t.match(second.replace('Hint: ', ''), hint)
      t.same([more, ran.stdout], [[], ''])
    })
  }
  t.test('nothing was started or written', async t => t.same(readdirSync(home), ['run']))
})

t.test('refuses a name that is too long, whatever the daemon takes', async t => {
  const home = folder(t)
  const long = 'a'.repeat(5000)
  const message = `Error: argument '${'a'.repeat(40)}…' is too long: 5000 characters, at most 4096 [USAGE]\nHint: Usage: `
  for (const words of ['logs', 'up', 'why', 'status', 'requests --service']) {
    const { code, stderr } = await locald([...words.split(' '), long], { home })
    t.match({ code, stderr }, { code: 2, stderr: message }, words)
    t.ok(stderr.length < 400, 'does not repeat it')
  }
})

t.test('prints help by group, of a group and of a command', async t => {
  const home = folder(t)
  const alone = await locald([], { home })
  t.equal(alone.code, 0)
  t.match(
    alone.stdout,
    /Project commands:\n {2}up \[PATH\] \[SERVICE…\] +Start[\s\S]*Data commands:[\s\S]* {2}db <COMMAND> \[NAME\] +Manage/,
  )
  t.equal(alone.stdout.match(/^ {2}service <command>/gm)?.length, 1, 'a family of two groups stands in the first')
  t.match(alone.stdout, / {2}Print without colours\n/)
  t.equal((await locald(['--help'], { home })).stdout, alone.stdout)
  t.equal((await locald(['help'], { home })).stdout, alone.stdout)
  const up = await locald(['up', '--help'], { home })
  t.match(up.stdout, /--detach .*\n[\s\S]*Examples:\n {2}\$ locald up\n/)
  t.equal((await locald(['help', 'up'], { home })).stdout, up.stdout)
  t.match((await locald(['run', '-h'], { home })).stdout, 'locald run <SERVICE> -- <CMD…>')
  const server = await locald(['server', '--help'], { home })
  t.match(server.stdout, /^Manage the daemon\n\nUsage:\n {2}\$ locald server <command> \[options\]\n/)
  t.match(server.stdout, 'server restart')
  t.notMatch(server.stdout, 'ping')
  for (const word of ['--version', 'version', '-V', '-v'])
    t.match((await locald([word], { home })).stdout, /^locald \d+\.\d+\.\d+\n$/, word)
})

t.test('without a daemon, commands that need none start none', async t => {
  const home = folder(t)
  const none = 'Error: daemon is not running [DAEMON_UNREACHABLE]\nHint: Run `locald up` or `locald server start`.\n'
  for (const words of ['ping', 'server status']) {
    t.match(await locald(words.split(' '), { home }), { code: 1, stdout: '', stderr: none })
  }
  const asJson = await locald(['ping', '--json'], { home })
  t.match(JSON.parse(asJson.stdout), { error: { code: 'DAEMON_UNREACHABLE', message: 'daemon is not running' } })
  t.match(await locald(['server', 'shutdown'], { home }), {
    code: 0,
    stdout: 'Daemon is not running\n',
    stderr: '',
  })
  t.match(await locald(['stop'], { home }), { code: 0, stdout: 'Nothing is running\n', stderr: '' })
  const nothing = 'Nothing is running. Run `locald up` in the folder of a project.\n'
  t.match(await locald(['status'], { home }), { code: 0, stdout: nothing, stderr: '' })
  t.match(await locald(['status', '--json'], { home }), { code: 0, stdout: '{"services":[]}\n' })

  const missing = await locald(['up'], { home })
  t.equal(missing.code, 1)
  t.match(
    missing.stderr,
    /^Error: .*locald-keeper is missing or not executable \[KEEPER_MISSING\]\nHint: Run `npm run build` in /,
  )
  const doctor = await locald(['doctor', '--json'], { home })
  t.equal(doctor.code, 1)
  t.match(JSON.parse(doctor.stdout), {
    ok: false,
    checks: [{ plugin: 'kernel', severity: 'critical', status: 'fail' }],
  })

  t.comment('services that a killed daemon left')
  mkdirSync(join(home, 'run', 'locald', 'projects', 'shop'), { recursive: true })
  t.match((await locald(['status'], { home })).stderr, '[KEEPER_MISSING]')
  t.match((await locald(['stop'], { home })).stderr, '[KEEPER_MISSING]')
})
