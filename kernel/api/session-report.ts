import { open } from 'node:fs/promises'
import { runChecks } from '../doctor.ts'
import { messageOf } from '../errors.ts'
import type { LogLine } from '../events.ts'
import type { Kernel } from '../kernel.ts'
import { mask } from '../lib/secrets.ts'
import { readLogs } from '../logs/merge.ts'
import type { Project } from '../projects/project.ts'
import { Redaction } from '../services/environment/redaction.ts'

/** Last lines of each service. */
const lineCount = 1000
/** The end of the daemon's own log. */
const logBytes = 256 * 1024
/** The environment of a service, or of all of them: its values are what a report must not have. */
const envKey = /(?:^|\.)env(?:\.|$)/

/** Returns the files of a report by name: what a person who looks for a bug needs, without secrets. */
export async function reportSession(kernel: Kernel): Promise<ReadonlyMap<string, string>> {
  const projects = kernel.projects.list()
  const secrets = await Promise.all(projects.map(({ ref }) => kernel.container.use.catalog.secrets(ref.name)))
  const redaction = new Redaction(secrets.flat())
  const files = new Map<string, string>()
  const add = async (name: string, read: () => Promise<unknown>): Promise<void> => {
    // What fails to be read is in the report, too.
    const value = await read().catch(error => ({ error: messageOf(error) }))
    files.set(`${name}.json`, `${JSON.stringify(redaction.value(value), null, 2)}\n`)
  }
  await add('daemon', async () => describeDaemon(kernel))
  await add('services', async () => await kernel.usage.of(kernel.projects.services(undefined)))
  await add('projects', async () => kernel.known.list())
  await add('plugins', async () => kernel.plugins)
  await add('doctor', async () => {
    const { contributions, plugins, checks } = kernel
    return await runChecks({ contributions, plugins, own: checks, only: undefined })
  })
  for (const project of projects)
    await add(`configuration/${project.ref.name}`, () => readConfiguration(kernel, project))
  for (const { name, read } of kernel.contributions.reports()) await add(name, read)
  for (const project of projects)
    files.set(`logs/${project.ref.name}.log`, redaction.text(await readOutput(project).catch(messageOf)))
  files.set('daemon.log', redaction.text(await readDaemonLog(kernel).catch(messageOf)))
  return files
}

function describeDaemon({ version, startedAt, contributions, paths }: Kernel): object {
  const { arch, pid } = process
  const { platform, release } = paths
  const memory = process.memoryUsage()
  return { version, node: process.version, platform, release, arch, pid, startedAt, memory, ...contributions.status() }
}

/** Returns the merged configuration, with names of variables only. */
async function readConfiguration({ projects }: Kernel, { ref }: Project): Promise<unknown> {
  const loaded = await projects.load(ref.path)
  const values = await loaded.values()
  return values.map(each => (envKey.test(each.key) ? { ...each, value: mask } : each))
}

async function readOutput({ services }: Project): Promise<string> {
  const sources = [...services.values()].map(({ ref, log }) => ({ service: ref.key, log, after: undefined }))
  const lines: LogLine[] = []
  const { signal } = new AbortController()
  for await (const batch of readLogs({ sources, tail: lineCount, each: true, follow: false, signal }))
    lines.push(...batch)
  return lines.map(({ time, service, stream, text }) => `${time} ${service} ${stream} ${text}\n`).join('')
}

async function readDaemonLog({ paths }: Kernel): Promise<string> {
  const file = await open(paths.daemonLog)
  try {
    const { size } = await file.stat()
    const start = Math.max(0, size - logBytes)
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start })
    const text = buffer.toString('utf8', 0, bytesRead)
    // Not the rest of a line.
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1)
  } finally {
    await file.close()
  }
}
