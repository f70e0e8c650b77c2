/** `locald server install`: by launchd, of which a stand-in does what is documented; what systemd makes of it shows `npm run test:vm`. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { processList } from '../process-list.ts'
import { until } from './running.ts'
import type { Sandbox } from './sandbox.ts'
import { type Machine, on } from './suite.ts'

/**
 * launchctl(1), as far as locald uses it: `bootstrap` refuses what is loaded and starts what has RunAtLoad, with the variables of the
 * property list and few besides; `bootout` ends it by SIGTERM and refuses what is not loaded; `kickstart` leaves alone what runs.
 */
const launchctl = `#!/usr/bin/env python3
import json, os, plistlib, signal, subprocess, sys, time
home = os.environ['HOME']
state = home + '/launchd.json'
jobs = json.load(open(state)) if os.path.exists(state) else {}
verb, words = sys.argv[1], sys.argv[2:]
with open(home + '/launchctl.log', 'a') as log:
    log.write(' '.join(sys.argv[1:]) + '\\n')

def refuse(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)

def runs(job):
    try:
        os.kill(job['pid'], 0)
        return open('/proc/%d/stat' % job['pid']).read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False

def start(job):
    plist = plistlib.load(open(job['file'], 'rb'))
    if not plist['AbandonProcessGroup'] or plist['KeepAlive'] != {'SuccessfulExit': False}:
        refuse(1, 'the property list is not as it should be')
    env = {'HOME': home, 'TMPDIR': os.environ['TMPDIR'], **plist['EnvironmentVariables']}
    out = open(plist['StandardOutPath'], 'ab')
    job['pid'] = subprocess.Popen(plist['ProgramArguments'], cwd=plist['WorkingDirectory'], env=env,
        stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True).pid

def save():
    json.dump(jobs, open(state, 'w'))

if verb == 'bootstrap':
    label = plistlib.load(open(words[1], 'rb'))['Label']
    if label in jobs or os.path.exists(home + '/launchd.fails'):
        refuse(5, 'Bootstrap failed: 5: Input/output error')
    jobs[label] = {'file': words[1]}
    start(jobs[label])
    save()
elif verb == 'bootout':
    job = jobs.pop(words[0].split('/')[2], None)
    if job is None:
        refuse(3, 'Boot-out failed: 3: No such process')
    if runs(job):
        os.kill(job['pid'], signal.SIGTERM)
        while runs(job):
            time.sleep(0.02)
    save()
elif verb == 'kickstart':
    job = jobs.get(words[0].split('/')[2])
    if job is None:
        refuse(113, 'Could not find service')
    if not runs(job):
        start(job)
        save()
elif verb != 'enable':
    refuse(64, 'Unrecognized subcommand: ' + verb)
`

/** A sandbox whose PATH begins with a folder of a name that must be escaped, in which launchctl is. */
function withLaunchctl(machine: Machine) {
  const box = machine.sandbox()
  const bin = join(box.home, `a & <b> "c" 'd' é %s`)
  box.write(join(bin, 'launchctl'), launchctl, 0o755)
  const env = { PATH: `${bin}:${box.env['PATH']}` }
  const label = `dev.locald.${box.name}`
  const file = join(box.home, 'Library', 'LaunchAgents', `${label}.plist`)
  const folder = box.project('shop', {
    'locald.toml': '[project]\nname = "shop"\n[services.job]\ntype = "worker"\ncommand = "exec sleep 100005"\n',
  })
  return { box, env, label, file, folder }
}

function loaded(box: Sandbox): Readonly<Record<string, { readonly pid: number }>> {
  return JSON.parse(readFileSync(join(box.home, 'launchd.json'), 'utf8'))
}

async function isByLaunchd(t: Test, box: Sandbox, label: string): Promise<void> {
  t.equal((await box.server()).pid, loaded(box)[label]?.pid, 'the daemon is the one that launchd started')
}

on('darwin', 'launchd starts the daemon from then on, until that is undone; services run on', async (t, machine) => {
  const { box, env, label, file, folder } = withLaunchctl(machine)
  await box.up(folder, [], { env })
  const { pid } = await box.service(folder, 'job')
  const install = async () => JSON.parse((await box.ok(['server', 'install', '--json'], { env })).stdout)
  const first = await install()
  t.match(first, { file, hint: null })
  await isByLaunchd(t, box, label)
  t.equal(first.pid, loaded(box)[label]?.pid)
  const variables = processList.environmentOf(first.pid)
  t.ok(variables.includes(`PATH=${env.PATH}`), 'with the PATH of whoever installed it')
  t.equal((await box.service(folder, 'job')).pid, pid)

  t.comment('again, then restarted, then shut down and needed')
  const text = readFileSync(file, 'utf8')
  await install()
  t.equal(readFileSync(file, 'utf8'), text)
  await isByLaunchd(t, box, label)
  const before = (await box.server()).pid
  await box.ok(['server', 'restart'], { env })
  t.not((await box.server()).pid, before)
  await isByLaunchd(t, box, label)
  t.equal((await box.service(folder, 'job')).pid, pid, 'services were left alone')
  t.match(
    (await box.ok(['server', 'shutdown', '--pid', '1'], { env })).stdout,
    'The daemon with that pid is not running',
  )
  await box.ok(['server', 'shutdown'], { env })
  await box.ok(['server', 'start'], { env })
  await isByLaunchd(t, box, label)

  await box.up(folder, [], { env })
  const next = await box.service(folder, 'job')
  t.equal((await box.ok(['server', 'uninstall'], { env })).stdout, `Removed ${file}\n`)
  t.notOk(existsSync(file))
  t.same(loaded(box), {})
  t.notOk(box.processes().some(({ command }) => command.includes('launchctl')))
  t.equal((await box.service(folder, 'job')).pid, next.pid, 'another daemon has taken it over')
  t.equal((await box.ok(['server', 'uninstall'], { env })).stdout, 'Nothing is installed\n')
})

on('darwin', 'what launchd refuses is undone and said', async (t, machine) => {
  const { box, env, file, folder } = withLaunchctl(machine)
  await box.up(folder, [], { env })
  const { pid } = await box.service(folder, 'job')
  const fails = join(box.home, 'launchd.fails')
  box.write(fails, '')
  t.match(await box.run(['server', 'install'], { env }), {
    code: 1,
    stderr: /^Error: `launchctl bootstrap gui\/\d+ .*` failed: Bootstrap failed: 5: .* \[STEP_FAILED\]\nHint: /,
  })
  t.notOk(existsSync(file))
  t.equal((await box.service(folder, 'job')).pid, pid)
  rmSync(fails)
  rmSync(join(box.home, 'Library', 'LaunchAgents'), { recursive: true, force: true })
  box.write(join(box.home, 'Library', 'LaunchAgents'), 'a file')
  t.match(await box.run(['server', 'install'], { env }), { code: 1, stderr: /cannot change .*PATHS_UNUSABLE/ })
  t.equal((await box.service(folder, 'job')).pid, pid)

  t.comment('a service manager that is gone does not keep the daemon from being started')
  rmSync(join(box.home, 'Library', 'LaunchAgents'))
  await box.ok(['server', 'install'], { env })
  await box.ok(['server', 'shutdown'], { env })
  await box.ok(['server', 'start'])
  await until('another daemon', async () => (await box.run(['ping'])).code === 0)
  await box.ok(['server', 'shutdown'])
  await box.ok(['server', 'uninstall'], { env })
})

on(
  'linux',
  'without systemd that is said, and what to do instead',
  async (t, machine) => {
    const box = machine.sandbox()
    for (const verb of ['install', 'uninstall']) {
      t.match(await box.run(['server', verb]), {
        code: 1,
        stderr:
          /^Error: the daemon cannot be started with the machine: systemd .* \[FEATURE_OFF\]\nHint: .*`locald server start`/,
      })
    }
    t.notOk(existsSync(join(box.home, 'config', 'systemd')))
  },
  existsSync('/run/systemd/system') ? { skip: 'systemd runs here' } : {},
)
