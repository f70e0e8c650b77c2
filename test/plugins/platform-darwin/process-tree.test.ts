import t from 'tap'
import { findRemaining, membersOf, type ProcessSnapshot } from '../../../plugins/platform-darwin/process-tree.ts'
import type { Row } from '../../../plugins/platform-darwin/ps.ts'
import { begun, pids, row, second, tree } from './harness.ts'

t.test('finds the members of a tree in a table', async t => {
  const service = [row(100, 50, 100, 0), row(101, 100, 101, 0), row(102, 101, 101, 1), row(103, 101, 103, 1)]
  const others = [row(50, 1, 50, -900), row(200, 50, 200, 5), row(201, 1, 201, 5)]
  t.same(pids(membersOf([...service, ...others], tree)), [101, 102, 103], 'a session of its own stays below its parent')
  const orphan = row(104, 1, 101, 30)
  t.same(pids(membersOf([...service, orphan, ...others], tree)), [101, 102, 103, 104], 'an orphan stays in the group')
  const below = row(105, 104, 105, 31)
  t.same(pids(membersOf([orphan, below, ...others], tree)), [104, 105], 'also after the main process and keeper exited')
  t.same(pids(membersOf([row(101, 100, 101, 0, { zombie: true }), orphan], tree)), [104], 'a zombie is none')
  t.same(membersOf([row(100, 1, 100, 500), row(300, 100, 100, 501)], tree), [], "the keeper's pid came round")
  t.same(membersOf([row(101, 1, 101, 500), row(300, 101, 101, 501)], tree), [], "the main process's pid came round")
  t.same(membersOf([row(300, 1, 101, -60)], tree), [], 'older than the tree')
  const daemon = row(process.pid, 101, 101, 40)
  const itsKeeper = row(106, process.pid, 106, 41)
  t.same(
    pids(membersOf([...service, daemon, itsKeeper], tree)),
    [101, 102, 103],
    'a daemon started from a service is none',
  )
})

const sight = (
  rows: readonly Row[],
  sockets: ProcessSnapshot['sockets'] = [],
  given: readonly number[] = [],
): ProcessSnapshot => ({
  ...{ rows, sockets, given: new Set(given) },
})

t.test('finds what a sweep has to kill in a table', async t => {
  const holds = (pid: number, port = 3000) => [{ pid, command: 'x', address: '::', port }]
  const stray = row(400, 1, 400, 20)
  t.same(pids(findRemaining(sight([stray], holds(400)), tree, [])), [400], "a daemon that holds the service's port")
  t.same(pids(findRemaining(sight([stray, row(401, 400, 400, 21)], holds(401)), tree, [])), [401], 'or its worker')
  t.same(findRemaining(sight([stray], holds(400, 3001)), tree, []), [], 'not one on another port')
  t.same(findRemaining(sight([row(400, 1, 400, -60)], holds(400)), tree, []), [], 'not an older one')
  t.same(
    findRemaining(sight([row(400, 1, 400, 20, { terminal: true })], holds(400)), tree, []),
    [],
    'not one in a terminal',
  )
  const shell = row(399, 1, 399, 15, { terminal: true })
  t.same(
    findRemaining(sight([shell, row(400, 399, 400, 20)], holds(400)), tree, []),
    [],
    'not one started from a terminal',
  )
  const editor = row(399, 1, 399, -900)
  t.same(
    findRemaining(sight([editor, row(400, 399, 400, 20)], holds(400)), tree, []),
    [],
    'not one of an older program',
  )
  t.same(findRemaining(sight([row(process.pid, 1, 400, 20)], holds(process.pid)), tree, []), [], 'not the daemon')

  const inTerminal = row(400, 399, 400, 20, { terminal: true })
  t.same(
    pids(findRemaining(sight([editor, inTerminal], [], [400]), tree, [])),
    [400],
    'one with the variable, wherever it is',
  )
  t.same(findRemaining(sight([row(400, 1, 400, -60)], [], [400]), tree, []), [], 'not one older than that')
  const us = row(process.pid, 1, 410, 20)
  t.same(
    findRemaining(sight([us, row(411, process.pid, 411, 21)], [], [process.pid, 411]), tree, []),
    [],
    'not the daemon',
  )

  const seen = (start: string) => [{ pid: 500, ppid: 1, start }]
  const earlier = [row(500, 1, 500, 5, { terminal: true }), row(501, 500, 501, 6)]
  t.same(
    pids(findRemaining(sight(earlier, []), tree, seen('2026-11-23T10:00:05Z'))),
    [500, 501],
    'seen earlier, and what is below it',
  )
  t.same(findRemaining(sight(earlier, []), tree, seen('2026-11-23T10:00:04Z')), [], 'not another with its pid')
  const daysAgo = { ...tree, startedMs: begun - 86_400 * second }
  const launchd = row(1, 0, 1, -60)
  const database = row(600, 1, 600, 5)
  t.same(
    findRemaining(sight([launchd, database, row(700, 1, tree.pgid, 6)], holds(600)), daysAgo, []),
    [],
    'nothing of a machine that was started since: all is younger than the tree',
  )
  t.same(
    pids(findRemaining(sight([launchd, database], [], [600]), daysAgo, [])),
    [600],
    'but what was given its variable',
  )
  t.same(
    findRemaining(sight([row(1, 0, 101, 0), row(100, 1, 101, 0)], []), tree, []),
    [],
    'neither launchd nor the keeper',
  )
})
