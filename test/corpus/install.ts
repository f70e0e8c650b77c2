import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sandbox } from '../lib/sandbox.ts'
import type { Recipe } from './recipe.ts'

/** The time limit of an installation: ms. */
const installMs = 600_000

/**
 * Installed packages of recipes, kept from run to run: recipes with the same packages share them. What registries sent
 * is kept, too.
 */
export class Packages {
  readonly #sandbox: Sandbox
  readonly #folder = join(tmpdir(), `locald-corpus-${process.getuid?.() ?? 0}`)

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox
    const isNew = mkdirSync(this.#folder, { recursive: true, mode: 0o755 }) !== undefined
    if (isNew) sandbox.own(this.#folder)
    const owner = lstatSync(this.#folder).uid
    if (owner !== (sandbox.user?.uid ?? process.getuid?.())) throw new Error(`${this.#folder} is of another user`)
  }

  /** Where tools keep what they download and compile. */
  get #caches(): Readonly<Record<string, string>> {
    const at = (name: string) => join(this.#folder, name)
    const go = { GOPATH: at('go'), GOCACHE: at('go-build'), GOFLAGS: '-modcacherw' }
    const yarn = { YARN_CACHE_FOLDER: at('yarn'), YARN_GLOBAL_FOLDER: at('yarn-berry') }
    const node = { npm_config_cache: at('npm'), pnpm_config_store_dir: at('pnpm'), BUN_INSTALL_CACHE_DIR: at('bun') }
    const maven = { MAVEN_OPTS: `-Dmaven.repo.local=${at('maven')}` }
    // Where a machine reaches registries through a proxy of its own, npm knows its certificate and yarn does not.
    const trust = process.env['NODE_EXTRA_CA_CERTS']
    return {
      ...(trust === undefined ? {} : { NODE_EXTRA_CA_CERTS: trust }),
      ...node,
      ...yarn,
      PIP_CACHE_DIR: at('pip'),
      ...go,
      ...maven,
      CARGO_HOME: at('cargo'),
    }
  }

  /** Returns the programs that are not there. */
  async missing(programs: readonly string[]): Promise<readonly string[]> {
    const looks = programs.map(each => `command -v ${each} >/dev/null || echo ${each}`).join('\n')
    const { stdout } = await this.#sandbox.spawn(['sh', '-c', looks]).done
    return stdout.split('\n').filter(Boolean)
  }

  /** Puts the packages of a recipe into its project. Returns the environment of its user. */
  async install({ npm, pip, prepare, tools }: Recipe, project: string): Promise<Readonly<Record<string, string>>> {
    const path = tools === undefined ? undefined : await this.#pathOf(tools)
    const env = { ...this.#caches, ...(path === undefined ? {} : { PATH: path }) }
    if (npm !== undefined) {
      // Npm chooses versions that fit its Node.
      const folder = await this.#modules(npm, '--legacy-peer-deps --ignore-scripts', tools && { tools, env })
      await this.#sh(linked(folder, 'node_modules'), project)
    }
    if (pip !== undefined) await this.#sh(linked(await this.#virtualEnvironment(pip), '.venv'), project)
    if (prepare !== undefined) await this.#sh(prepare, project, env)
    return env
  }

  /** Installs tools; unlike those of projects, their scripts run, as some of them put the program in its place. */
  async #pathOf(tools: Readonly<Record<string, string>>): Promise<string> {
    return `${join(await this.#modules(tools, '--foreground-scripts'), '.bin')}:${this.#sandbox.env['PATH']}`
  }

  /** Returns a `node_modules` with these packages, installed with more flags, and by other tools than this machine's. */
  async #modules(
    packages: Readonly<Record<string, string>>,
    flags: string,
    by?: { readonly tools: Readonly<Record<string, string>>; readonly env: Readonly<Record<string, string>> },
  ): Promise<string> {
    const manifest = JSON.stringify({ private: true, dependencies: packages })
    const folder = await this.#make(`${flags} ${manifest} ${JSON.stringify(by?.tools)}`, async made => {
      this.#sandbox.write(join(made, 'package.json'), manifest)
      await this.#sh(`npm install ${flags} --no-audit --no-fund`, made, by?.env)
    })
    return join(folder, 'node_modules')
  }

  async #virtualEnvironment(packages: readonly string[]): Promise<string> {
    const list = packages.map(each => `'${each}'`).join(' ')
    // Its programs have its path in them: it cannot be moved.
    return await this.#make(list, made => this.#sh(`python3 -m venv . && bin/pip install -q ${list}`, made), false)
  }

  /** Makes a folder once for the same content. */
  async #make(content: string, make: (folder: string) => Promise<void>, isMovable = true): Promise<string> {
    const folder = join(this.#folder, createHash('sha256').update(content).digest('hex').slice(0, 16))
    const mark = `${folder}.done`
    if (existsSync(mark)) return folder
    const made = isMovable ? `${folder}.${process.pid}` : folder
    rmSync(made, { recursive: true, force: true })
    mkdirSync(made)
    this.#sandbox.own(made)
    await make(made)
    if (isMovable) moveUnlessThere(made, folder)
    this.#sandbox.write(mark, '')
    return folder
  }

  async #sh(command: string, cwd: string, env: Readonly<Record<string, string>> = this.#caches): Promise<void> {
    const ran = await this.#sandbox.spawn(['sh', '-c', command], { cwd, env, limitMs: installMs }).done
    if (ran.code !== 0) throw new Error(`${command}: ${ran.code ?? ran.signal}\n${ran.stdout}\n${ran.stderr}`)
  }
}

/** Moves a folder, unless another run of the tests has made the same one meanwhile. */
function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
    rmSync(from, { recursive: true, force: true })
  }
}

/**
 * Returns a command that copies a folder; its files are links where that is possible. Folders are the project's own, as
 * tools keep caches in them.
 */
function linked(from: string, to: string): string {
  return `cp -al ${from} ${to} || { rm -rf ${to}; cp -a ${from} ${to}; }`
}
