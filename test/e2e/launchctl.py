#!/usr/bin/env python3
"""
Stands for launchctl(1) and launchd as far as locald uses them, as measured on Macs; each behaviour names its source.

State is in $HOME/launchd.json. Files in $HOME set the Mac up:
  launchd.headless   no one is logged in at the screen: there is no gui/UID domain
  launchd.ondemand   the login is under way: RunAtLoad stays pending
  launchd.fails      bootstrap fails whatever it is given, with the code in the file: 5 (busy, or anything wrong), 125 (no such domain)
  launchd.slow       every command takes 2 seconds longer
  launchd.apart      jobs are run by `launchctl.py launchd`, which is not below the caller of launchctl
Times are shorter than on a Mac where the environment says so: LAUNCHD_REMOVAL and LAUNCHD_THROTTLE, seconds.
"""
import contextlib, fcntl, json, os, plistlib, signal, subprocess, sys, time

home = os.environ['HOME']
# "scheduling cleanup in 5 sec after sending Terminated: 15": Layr-Labs/d-inference#1102, ancwrd1/snx-rs#241.
removal = float(os.environ.get('LAUNCHD_REMOVAL', 5))
# launchd.plist(5), ThrottleInterval: at most once every 10 seconds.
throttle = float(os.environ.get('LAUNCHD_THROTTLE', 10))
# launchd.plist(5), ExitTimeOut: SIGKILL so long after SIGTERM; `exit timeout = 5` in `launchctl print`.
exit_timeout = 5
step = 0.02


def path(name):
    return os.path.join(home, 'launchd.' + name)


@contextlib.contextmanager
def state():
    with open(path('lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = read()
        whole = json.loads(before)
        jobs = whole['jobs']
        # A job that was booted out is there until its process has exited and the cleanup is due.
        for key in [key for key, job in jobs.items() if job['removed'] and not job['pid'] and job['removed'] + removal < time.time()]:
            del jobs[key]
        try:
            yield whole
        finally:
            after = json.dumps(whole)
            if after != before:
                with open(path('json') + '.new', 'w') as file:
                    file.write(after)
                os.rename(path('json') + '.new', path('json'))


def read():
    try:
        with open(path('json')) as file:
            return file.read()
    except FileNotFoundError:
        return '{"jobs": {}, "disabled": {}}'


def refuse(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)


def launchd():
    """Runs the requested jobs until it is stopped."""
    while True:
        with state() as whole:
            keys, whole['wanted'] = whole.get('wanted', []), []
        for key in keys:
            supervise(key, True)
        time.sleep(step)


def supervise(key, is_launchd=False):
    """launchd's part for one job, in the background, for as long as it runs or is to be run again."""
    if os.path.exists(path('apart')) and not is_launchd:
        with state() as whole:
            whole.setdefault('wanted', []).append(key)
        return
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    try:
        while run(key):
            pass
    finally:
        os._exit(0)


def wait_for_turn(key):
    """"Service only ran for 3 seconds. Pushing respawn out by 7 seconds." (launchd's log). False: the job was removed meanwhile."""
    while True:
        with state() as whole:
            job = whole['jobs'].get(key)
            if job is None or job['removed']:
                return False
            if job['since'] + throttle <= time.time():
                return True
        time.sleep(step)


def run(key):
    """Runs the job once; whether it is to be run again."""
    if not wait_for_turn(key):
        return False
    with state() as whole:
        job = whole['jobs'].get(key)
        if job is None or job['removed']:
            return False
        # As it was read: launchd does not look at the file again.
        plist = job['plist']
        # launchd gives a job few variables: xpc's and those of the login, not those of the shell.
        env = {'HOME': home, 'TMPDIR': os.environ['TMPDIR'], 'XPC_SERVICE_NAME': plist['Label'], **plist['EnvironmentVariables']}
        out = open(plist['StandardOutPath'], 'ab')
        child = None
        try:
            child = subprocess.Popen(plist['ProgramArguments'], cwd=plist['WorkingDirectory'], env=env,
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                     umask=plist.get('Umask', 0o022))
        except OSError:
            pass
        job.update(pid=child.pid if child else None, since=time.time(), runs=job['runs'] + 1, pending=False)
    # EX_CONFIG, as launchd reports a program that cannot be run.
    code = wait_for(key, child) if child else 78
    with state() as whole:
        job = whole['jobs'].get(key)
        if job is None:
            return False
        # launchd.plist(5), KeepAlive, SuccessfulExit false: it is restarted unless it exits with 0; a signal is no success.
        again = 'KeepAlive' in plist and code != 0 and not job['removed']
        job.update(pid=None, exit=code, pending=again)
        return again


def wait_for(key, child):
    while True:
        try:
            return child.wait(timeout=0.25)
        except subprocess.TimeoutExpired:
            job = json.loads(read())['jobs'].get(key)
            if job and job['removed'] and job['removed'] + exit_timeout < time.time():
                child.kill()


def split(target):
    parts = target.split('/')
    return '/'.join(parts[:2]), '/'.join(parts[2:])


def need_domain(domain, verb):
    # home-manager#9629, rjwalters/loom#4130, NousResearch/hermes-agent#30352: ssh to a Mac at which the user is not logged in.
    if domain.startswith('gui/') and os.path.exists(path('headless')):
        refuse(125, verb + ': 125: Domain does not support specified action')


def missing(label, domain):
    # NousResearch/hermes-agent#5536: exit code 113.
    kind, uid = domain.split('/')
    refuse(113, 'Bad request.\nCould not find service "%s" in domain for user %s: %s' % (label, kind, uid))


def bootstrap(domain, file):
    need_domain(domain, 'Bootstrap failed')
    with open(file, 'rb') as opened:
        plist = plistlib.load(opened)
    key = domain + '/' + plist['Label']
    # What is not among the agents is for one start.
    keep = {'SuccessfulExit': False} if '/Library/LaunchAgents/' in file else None
    if not plist['AbandonProcessGroup'] or plist.get('KeepAlive') != keep:
        refuse(1, 'the property list is not as it should be')
    if domain.startswith('user/') and 'Background' not in plist.get('LimitLoadToSessionType', ['Aqua']):
        # duh17/oppi#31
        refuse(134, 'Bootstrap failed: 134: Service cannot load in requested session')
    if not os.stat(file).st_mode & 0o004:
        # openclaw/openclaw#104228: macOS 26.5.2 with a plist of mode 0600.
        refuse(5, 'Bootstrap failed: 5: Input/output error')
    with state() as whole:
        job = whole['jobs'].get(key)
        if job and job['removed'] and time.time() > job['removed'] + removal / 2:
            # darkbloom: Layr-Labs/d-inference#1102; snx-rs#241
            refuse(37, 'Bootstrap failed: 37: Operation already in progress')
        if os.path.exists(path('fails')) and open(path('fails')).read() == '125':
            refuse(125, 'Bootstrap failed: 125: Domain does not support specified action')
        if job or whole['disabled'].get(plist['Label']) or os.path.exists(path('fails')):
            # headroomlabs-ai/headroom#1289: for some 5 s after bootout; also of what is loaded, disabled or wrong.
            refuse(5, 'Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.')
        # liby/dotfiles#29: "pending spawn, domain in on-demand-only mode"
        waits = os.path.exists(path('ondemand')) or not plist.get('RunAtLoad')
        whole['jobs'][key] = {'file': file, 'plist': plist, 'pid': None, 'since': 0, 'runs': 0, 'exit': None, 'removed': None, 'pending': not waits}
    if not waits:
        supervise(key)


def bootout(target):
    domain, label = split(target)
    need_domain(domain, 'Boot-out failed')
    with state() as whole:
        job = whole['jobs'].get(target)
        if job is None:
            refuse(3, 'Boot-out failed: 3: No such process')
        if not job['removed']:
            job['removed'] = time.time()
            if job['pid']:
                os.kill(job['pid'], signal.SIGTERM)
    # It returns at once: pingdotgg/t3code#12005 (`--wait` is a usage error before macOS 26), tellahq/opensession#431.


def kickstart(target):
    domain, label = split(target)
    need_domain(domain, 'Could not kickstart service "%s"' % label)
    with state() as whole:
        job = whole['jobs'].get(target)
        if job is None:
            missing(label, domain)
        if job['pid'] or job['removed']:
            # openclaw/openclaw#71413, headroom#1289: without -k a job that runs is left alone.
            refuse(37, 'Could not kickstart service "%s": 37: Operation already in progress' % label)
        if job['pending']:
            return
        job['pending'] = True
    supervise(target)


def show(target):
    domain, label = split(target)
    need_domain(domain, 'Could not print domain')
    if not label:
        return print('%s = {\n\ttype = login\n}' % domain)
    with state() as whole:
        job = whole['jobs'].get(target)
        if job is None:
            missing(label, domain)
        code = job['exit']
        last = 'exit code = %s' % ('(never exited)' if code is None else code)
        if code is not None and code < 0:
            last = 'terminating signal = %s: %d' % (signal.strsignal(-code), -code)
        print('%s = {\n\tactive count = %d\n\tpath = %s\n\ttype = LaunchAgent\n\tstate = %s' % (
            target, 1 if job['pid'] else 0, job['file'], 'running' if job['pid'] else 'not running'))
        print('%s\truns = %d\n\tlast %s\n}' % ('\tpid = %d\n' % job['pid'] if job['pid'] else '', job['runs'], last))


def show_disabled(domain):
    need_domain(domain, 'Could not print disabled services')
    with state() as whole:
        # Since macOS 13 or 14 `disabled` and `enabled`, before `true` and `false`: ggbond268/MacTools#116.
        lines = ['\t\t"%s" => %s\n' % (label, 'disabled' if off else 'enabled') for label, off in whole['disabled'].items()]
        print('\tdisabled services = {\n%s\t}' % ''.join(lines))


def switch(target, off):
    with state() as whole:
        whole['disabled'][split(target)[1]] = off


def main(verb, *words):
    with open(path('log'), 'a') as log:
        log.write(' '.join((verb,) + words) + '\n')
    if os.path.exists(path('slow')):
        time.sleep(2)
    verbs = {
        'bootstrap': bootstrap,
        'bootout': bootout,
        'kickstart': kickstart,
        'print': show,
        'print-disabled': show_disabled,
        'enable': lambda target: switch(target, False),
        'disable': lambda target: switch(target, True),
        'launchd': launchd,
    }
    if verb not in verbs:
        refuse(64, 'Unrecognized subcommand: ' + verb)
    verbs[verb](*words)


main(*sys.argv[1:])
