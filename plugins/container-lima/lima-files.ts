import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Folders } from '../../kernel/contract/plugin.ts'
import { releaseVersion } from './install/release.ts'
import { limaHomeOf } from './lima-home.ts'
import { findLimactl, limactlPaths } from './limactl-program.ts'

/** Where this machine has Lima. */
export class LimaFiles {
  /** LIMA_HOME of locald's VM. */
  readonly limaHome: string
  /** The folder of `locald vm install`. */
  readonly dist: string
  readonly #env: NodeJS.ProcessEnv

  constructor(folders: Pick<Folders, 'data'>, env: NodeJS.ProcessEnv) {
    this.limaHome = limaHomeOf({ home: homedir(), folders, env })
    this.dist = join(folders.data, 'lima-dist', releaseVersion)
    this.#env = env
  }

  /** Whether limactl is there; fast. */
  isInstalled(): boolean {
    return limactlPaths(this.#env, this.dist).some(path => existsSync(path))
  }

  /** Returns the path of limactl; undefined where none is there. */
  find(): Promise<string | undefined> {
    return findLimactl(this.#env, this.dist)
  }
}
