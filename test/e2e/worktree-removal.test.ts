/** Folders of projects that are deleted, moved or replaced while services run: linked git worktrees of a real git. */
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { resolvePaths } from '../../kernel/system/paths.ts'
import { processList } from '../lib/process-list.ts'
import { until } from '../lib/running.ts'
import type { Sandbox } from '../lib/sandbox.ts'
import { on } from './suite.ts'

const job = `type = "worker"\ncommand = "exec sleep 100004"\nrestart = "no"\n`
const toml = `[project]\nname = "shop"\n[services.job]\n${job}[services.other]\n${job}depends_on = ["job"]\n`

/** Runs git in a folder. */
async function git(box: Sandbox, cwd: string, ...args: readonly string[]): Promise<void> {
  const ran = await box.spawn(['git', '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], { cwd }).done
  if (ran.code !== 0) throw new Error(ran.stderr)
}

/** Creates a repository with a linked worktree `feature` below it, as agents do, and starts both. */
async function repository(box: Sandbox): Promise<{ readonly main: string; readonly tree: string }> {
  const main = box.project('shop', { 'locald.toml': toml, '.gitignore': '/trees\n' })
  await git(box, main, 'init', '--quiet')
  await git(box, main, 'add', '.')
  await git(box, main, 'commit', '--quiet', '--message', 'first')
  const tree = join(main, 'trees', 'feature')
  await git(box, main, 'worktree', 'add', '--quiet', '-b', 'feature', tree)
  await box.up(main)
  await box.up(tree)
  return { main, tree }
}

async function pids(box: Sandbox, project: string): Promise<readonly number[]> {
  const views = (await box.status()).filter(view => view.project === project && view.status === 'running')
  return views.flatMap(({ pid }) => pid ?? [])
}

/** Waits until all services of a project are stopped because its folder was deleted. */
async function stopped(box: Sandbox, project: string): Promise<void> {
  await until(`the services of ${project} to be stopped`, async () => {
    const views = (await box.status()).filter(view => view.project === project)
    return views.every(({ status, reason }) => status === 'stopped' && reason === 'its folder was deleted')
  })
}

const logOf = (box: Sandbox) => readFileSync(resolvePaths({ env: box.env }).daemonLog, 'utf8')

on('linux', 'services of a removed git worktree are stopped, and others are not', async (t, machine) => {
  const box = machine.sandbox()
  const { main, tree } = await repository(box)
  const [before, kept] = [await pids(box, 'shop-feature'), await pids(box, 'shop')]
  t.equal(before.length, 2)
  await git(box, main, 'worktree', 'remove', tree)
  // Without a status request in between, which would look itself.
  await until('the processes to exit', () => before.every(pid => !processList.isAlive(pid)))
  await stopped(box, 'shop-feature')
  t.match(logOf(box), /shop-feature: its folder was deleted; its services were stopped/)
  t.same(await pids(box, 'shop'), kept, 'the main checkout keeps running')
  t.match((await box.ok(['registry', 'clean'])).stdout, /^Forgot shop-feature\nRemoved the logs of shop-feature /)

  t.comment('deleted while no daemon runs')
  await git(box, main, 'worktree', 'add', '--quiet', tree, 'feature')
  await box.up(tree)
  const again = await pids(box, 'shop-feature')
  t.equal(again.length, 2)
  const { pid: daemon } = await box.server()
  process.kill(daemon, 'SIGTERM')
  await until('the daemon to exit', () => !processList.isAlive(daemon))
  rmSync(tree, { recursive: true })
  await box.ok(['server', 'start'])
  await until('the processes to exit', () => again.every(pid => !processList.isAlive(pid)))
  await stopped(box, 'shop-feature')
})

on('linux', 'services of a folder that was moved or replaced keep running', async (t, machine) => {
  const box = machine.sandbox()
  const { main, tree } = await repository(box)
  const before = await pids(box, 'shop-feature')
  t.equal(before.length, 2)

  t.comment('replaced at once, as by a tool that creates worktrees again')
  await git(box, main, 'worktree', 'remove', tree)
  await git(box, main, 'worktree', 'add', '--quiet', tree, 'feature')
  t.same(await pids(box, 'shop-feature'), before, 'a status also remembers the new folder')

  t.comment('moved: one deleted project shows that the time is over')
  const other = box.project('other', { 'locald.toml': toml.replace('shop', 'other') })
  const beside = box.project('beside', { 'locald.toml': toml.replace('shop', 'beside') })
  await box.up(beside)
  const besides = await pids(box, 'beside')
  await box.up(other)
  await git(box, main, 'worktree', 'move', tree, join(box.home, 'moved'))
  renameSync(beside, `${beside}-renamed`)
  await until('the missing folders to be seen', async () => {
    const reasons = (await box.status()).map(({ reason }) => reason ?? '')
    return reasons.filter(reason => reason.includes('was moved')).length === 4
  })
  rmSync(other, { recursive: true })
  await stopped(box, 'other')
  t.same(await pids(box, 'shop-feature'), before)
  t.same(await pids(box, 'beside'), besides)
})
