#!/usr/bin/env python3
"""
Stands for an app of macOS 27 with a terminal in it: runs a command, and at SIGTERM, as for Command-Q, stops all its descendants, whatever
session or parent that has by then: tmux/tmux#5465 ("killing coalition pid"), nexu-io/open-design#7998. SIGTERM, as there.

  terminal.py program words...

A coalition is what descends from one job of launchd. On Linux orphans come to the nearest process that asks for them (prctl(2)).
"""
import contextlib, ctypes, os, signal, subprocess, sys, time

PR_SET_CHILD_SUBREAPER = 36


def descendants():
    parents = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/stat' % pid) as file:
                state, parent = file.read().rpartition(')')[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != 'Z':
            parents[int(pid)] = int(parent)
    found = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return found - {os.getpid()}
        found |= more


def quit_app(*_):
    end = time.time() + 10
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        while descendants() and time.time() < end:
            reap()
            time.sleep(0.02)
    sys.exit(0)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    sys.exit('prctl')
signal.signal(signal.SIGTERM, quit_app)
print('exited with %d' % subprocess.run(sys.argv[1:]).returncode, flush=True)
while True:
    reap()
    time.sleep(0.02)
