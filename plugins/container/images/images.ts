import { resolve } from 'node:path'
import type { Run } from '../../../kernel/contract/plugin.ts'
import { LocaldError } from '../../../kernel/errors.ts'
import { reasonOf } from '../calls/run-engine.ts'
import { labelFlags, type Names } from '../names.ts'
import type { ContainerOptions } from '../options.ts'
import type { Engine } from '../provides.ts'
import { pullError } from './errors.ts'
import { PullCounter } from './progress.ts'
import { isShortName, onDockerHub } from './short-name.ts'
import { streamLines } from './stream.ts'

/** Pulls and builds images. */
export class Images {
  readonly #names: Names
  /** Pulls that run, by engine and image: two services that need one image share it. */
  readonly #pulls = new Map<string, Promise<void>>()

  constructor(names: Names) {
    this.#names = names
  }

  /** Returns the image that a service runs. */
  nameFor({ options, project, name }: Run<ContainerOptions>): string {
    return options.image ?? this.#names.image(project, name)
  }

  /** Pulls an image. Throws IMAGE_FAILED with the cause. */
  async pull(engine: Engine, image: string, { step, signal }: Pick<Run<unknown>, 'step' | 'signal'>): Promise<void> {
    const key = `${engine.name} ${image}`
    const running = this.#pulls.get(key)
    if (running !== undefined) {
      step(`pulling ${image}`)
      // The other service may be stopped meanwhile: then this one pulls.
      if (await running.then(() => true, LocaldError.is)) return await running
      signal.throwIfAborted()
      return await this.pull(engine, image, { step, signal })
    }
    const pull = this.#pull(engine, image, { step, signal }).finally(() => this.#pulls.delete(key))
    this.#pulls.set(key, pull)
    await pull
  }

  /** Builds the image of a service; its log gets the output. Throws IMAGE_FAILED with the end of it. */
  async build(engine: Engine, run: Run<ContainerOptions>): Promise<void> {
    const { build } = run.options
    if (build === undefined) return
    const { project, name, log, step, signal } = run
    const image = this.nameFor(run)
    const context = resolve(project.path, build.context)
    step(`building ${image}`)
    const flags = [
      ...['--tag', image, ...labelFlags(this.#names.labels(project, name))],
      ...(build.dockerfile === undefined ? [] : ['--file', resolve(context, build.dockerfile)]),
      ...(build.target === undefined ? [] : ['--target', build.target]),
      ...Object.entries(build.args).flatMap(([arg, value]) => ['--build-arg', `${arg}=${value}`]),
      ...(engine.dialect === 'docker' ? ['--progress', 'plain'] : []),
    ]
    const { code, tail } = await streamLines(engine.command(['build', ...flags, context]), signal, (line, stream) => {
      log.write(stream, line)
      const at = /^(?:#\d+ \[[^\]]*\]|STEP \d+\/\d+:|Step \d+\/\d+ :) ?.*/.exec(line)
      if (at !== null) step(`building ${image}: ${at[0].slice(0, 80)}`)
    })
    if (code === 0) return
    throw new LocaldError('IMAGE_FAILED', `the image of ${run.key} could not be built: ${lastOf(tail)}`, {
      service: run.key,
      hint: `See its output with \`locald logs ${name}\`.`,
    })
  }

  async #pull(engine: Engine, image: string, { step, signal }: Pick<Run<unknown>, 'step' | 'signal'>): Promise<void> {
    step(`pulling ${image}`)
    const pullAs = async (name: string) => {
      const counter = new PullCounter()
      return await streamLines(engine.command(['pull', name]), signal, line => {
        const progress = counter.push(line)
        if (progress !== undefined) step(`pulling ${image}`, progress)
      })
    }
    const first = await pullAs(image)
    const isUnresolved = first.code !== 0 && isShortName(image) && /short-name/.test(lastOf(first.tail))
    const { code, tail } = isUnresolved ? await pullAs(onDockerHub(image)) : first
    if (code !== 0) throw pullError(engine, image, lastOf(tail))
  }
}

function lastOf(tail: readonly string[]): string {
  return reasonOf({ code: null, stdout: '', stderr: tail.join('\n') })
}
