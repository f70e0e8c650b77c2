import { randomBytes } from 'node:crypto'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Installation, programOf } from '../binaries/inspect.ts'
import { placeFolder, removeFolder, sweepShared } from '../files/copy-tree.ts'
import type { Account } from '../server/account.ts'
import { superuser } from '../server/client.ts'
import { includeSettings } from '../server/command-line.ts'
import { diagnose } from '../server/diagnosis.ts'
import { runHelper } from '../server/helper-process.ts'
import { isCluster } from './record.ts'

/** To be raised when the content of templates changes. */
const layout = 1

/** New clusters, ready to be copied: initdb takes a second, a copy of its result a tenth of that. */
export class ClusterTemplates {
  readonly #folder: string
  readonly #making = new Map<string, Promise<void>>()
  #swept: Promise<void> | undefined

  /** @param folder of templates, one for each version */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Returns the template of an installation; creates it if needed, with a password that is discarded. */
  async of(installation: Installation, account: Account, step: (text: string) => void): Promise<string> {
    this.#swept ??= sweepShared(this.#folder)
    await this.#swept
    const { version, origin } = installation
    const template = join(this.#folder, `${version}-${origin}-${layout}`)
    if (await isCluster(template)) return template
    const making = this.#making.get(template) ?? make(template, installation, account, step)
    this.#making.set(template, making)
    try {
      await making
    } finally {
      this.#making.delete(template)
    }
    return template
  }
}

async function make(
  template: string,
  installation: Installation,
  account: Account,
  step: (text: string) => void,
): Promise<void> {
  step(`creating a template of PostgreSQL ${installation.version} clusters (initdb)`)
  await removeFolder(template)
  await placeFolder(template, async folder => {
    const passwordFile = `${folder}.password`
    await mkdir(folder, { mode: 0o700 })
    await writeFile(passwordFile, randomBytes(16).toString('hex'), { mode: 0o600, flag: 'wx' })
    try {
      if (account.owner !== undefined) {
        for (const path of [folder, passwordFile]) await chown(path, account.owner.uid, account.owner.gid)
      }
      await initdb(installation, account, folder, passwordFile)
      await includeSettings(folder)
    } finally {
      await rm(passwordFile, { force: true })
    }
  })
}

async function initdb(
  installation: Installation,
  account: Account,
  folder: string,
  passwordFile: string,
): Promise<void> {
  const common = [
    ...account.prefix,
    programOf(installation, 'initdb'),
    ...['-D', folder, '-U', superuser, '--pwfile', passwordFile],
    ...['--auth=scram-sha-256', '--encoding=UTF8', '--data-checksums', '--no-sync', '--no-instructions'],
  ].filter(word => word !== '--no-instructions' || Number(installation.major) >= 14)
  // UTF-8 that every machine has; before 17 the system's, or plain bytes where the system has none.
  const locales =
    Number(installation.major) >= 17
      ? [['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']]
      : [['--locale=C.UTF-8', '--lc-messages=C'], ['--locale=C']]
  for (const [index, locale] of locales.entries()) {
    const { code, lines } = await runHelper([...common, ...locale]).done
    if (code === 0) return
    const isLocale = lines.some(line => /invalid locale/.test(line))
    if (!isLocale || index === locales.length - 1) throw diagnose('initdb', lines)
  }
}
