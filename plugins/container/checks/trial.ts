import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckResult } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { isProgram } from '../../lib/files.ts'
import { removeContainer } from '../calls/containers.ts'
import { runEngine, tryEngine } from '../calls/run-engine.ts'
import { type Labels, labelFlags } from '../names.ts'
import type { Engine } from '../provides.ts'
import { pass, skip, warn } from './result.ts'

/** Programs of locald's own, static: no image has to be pulled. One exits at once, the other one runs on. */
const [short, long] = ['locald-keeper', 'locald-tunnel']
const dockerfile = `FROM scratch
COPY ${short} ${long} /
RUN ["/${short}", "version"]
HEALTHCHECK --interval=1s CMD ["/${short}", "version"]
CMD ["/${long}", "/none", "0"]
`

/** What a trial works with. */
export interface TrialInput {
  readonly engine: Engine
  /** locald's own programs. */
  readonly native: string
  /** A folder of this daemon's for files. */
  readonly folder: string
  readonly labels: Labels
  /** ms */
  readonly limit: number
}

/** Builds an image, runs it, and watches its health check: what is inferred from settings is wrong too often. */
export async function tryOut({ engine, native, folder, labels, limit }: TrialInput): Promise<CheckResult> {
  const title = `Trial of ${engine.name}`
  const programs = [short, long].map(name => join(native, name))
  if (!(await Promise.all(programs.map(isProgram))).every(Boolean))
    return skip(`${title}: this package has no program for containers`)
  const id = randomBytes(4).toString('hex')
  const [place, image, name] = [join(folder, `trial-${id}`), `localhost/locald-trial:${id}`, `locald-trial-${id}`]
  const signal = AbortSignal.timeout(limit)
  const started = performance.now()
  let step = 'build'
  try {
    await mkdir(place, { recursive: true, mode: 0o700 })
    for (const [index, program] of programs.entries()) await copyFile(program, join(place, index === 0 ? short : long))
    await writeFile(join(place, 'Dockerfile'), dockerfile)
    const format = engine.dialect === 'podman' ? ['--format', 'docker'] : []
    await runEngine(engine, ['build', '--quiet', ...format, ...labelFlags(labels), '--tag', image, place], { signal })
    step = 'run'
    const flags = ['--detach', '--name', name, '--network', 'none', ...labelFlags(labels)]
    await runEngine(engine, ['run', ...flags, image], { signal })
    step = 'health check'
    const check = engine.dialect === 'podman' ? ['healthcheck', 'run', name] : ['exec', name, `/${short}`, 'version']
    await runEngine(engine, check, { signal })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    return pass(`${title}: built, ran and checked a container in ${seconds} s`)
  } catch (error) {
    if (signal.aborted) {
      const summary = `${title}: ${step}: not finished within ${limit / 1000} s`
      return warn(summary, `Run \`${engine.name} info\`: a slow engine, or a busy machine, makes slow containers.`)
    }
    const { message, hint } = LocaldError.from(error)
    return warn(`${title}: ${step}: ${message}`, hint ?? `Run \`${engine.name} info\`.`)
  } finally {
    await removeContainer(engine, name)
    await tryEngine(engine, ['rmi', '--force', image])
    await rm(place, { recursive: true, force: true })
  }
}
