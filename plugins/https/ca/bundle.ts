import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readTextFile } from '../../../kernel/contract/plugin.ts'
import { makeFolder, writeAtomic } from '../../lib/files.ts'

/** Larger files of authorities are not read: bytes; those of systems have a quarter of a megabyte. */
const sizeLimit = 16 * 1024 * 1024

// The labels from which OpenSSL reads a certificate (PEM_read_bio_X509_AUX); a private key in the file is not copied.
const certificates = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g

/** A file for NODE_EXTRA_CA_CERTS, and what is wrong with the requested one. */
export interface CaBundle {
  readonly file: string
  readonly problem?: string
}

/**
 * The files of authorities for Node's services: the user's own, such as a company's, and the local CA, as Node reads
 * one file only. Each is named after the user's file, so that its name stays while its content changes.
 */
export class CaBundles {
  readonly #folder: string
  readonly #making = new Map<string, Promise<CaBundle>>()
  readonly #sources = new Map<string, { readonly root: string; readonly written: string }>()

  /** @param folder the bundles' own; created on demand, mode 0700 */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Returns the file with the current certificates of `written` (absolute) and `root`; `root` alone when the first
   * cannot be used. Concurrent calls for all services of a project share one read.
   */
  of(root: string, written: string): Promise<CaBundle> {
    const key = `${root}\0${written}`
    const making = this.#making.get(key) ?? this.#make(root, written).finally(() => this.#making.delete(key))
    this.#making.set(key, making)
    return making
  }

  async #make(root: string, written: string): Promise<CaBundle> {
    if (written === root) return { file: root }
    // Inherited from another service: it has both already.
    if (dirname(written) === this.#folder) return { file: written }
    const own = await certificatesIn(written)
    if (typeof own === 'string') return { file: root, problem: own }
    const file = join(this.#folder, `${createHash('sha256').update(written).digest('hex').slice(0, 16)}.pem`)
    const ours = pemOf(await readFile(root, 'latin1').catch(() => ''))
    const head = `# Made by locald of ${JSON.stringify(written)} and its own CA: changes are lost.`
    const text = `${[head, ...own, ...ours].join('\n')}\n`
    const before = await readFile(file, 'latin1').catch(() => undefined)
    makeFolder(this.#folder)
    if (before !== text) writeAtomic(file, text, { durable: false })
    this.#sources.set(file, { root, written })
    return { file }
  }

  /** Updates the files that `of` has returned. One whose source is unreadable at the moment is kept. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#sources.values()].map(({ root, written }) => this.of(root, written).catch(() => {})))
  }

  /** Returns why a file cannot be part of a bundle; undefined: it can. */
  async problemOf(written: string): Promise<string | undefined> {
    if (dirname(written) === this.#folder) return undefined
    const found = await certificatesIn(written)
    return typeof found === 'string' ? found : undefined
  }
}

/** Returns the certificates in a file, or why there are none. */
async function certificatesIn(file: string): Promise<readonly string[] | string> {
  const read = await readTextFile(file, { bytes: sizeLimit })
  if (read === undefined) return `there is no file ${file}`
  if ('fault' in read) return `${file}: ${read.fault}`
  const found = pemOf(read.text)
  return found.length === 0 ? `there is no certificate in ${file}` : found
}

function pemOf(text: string): readonly string[] {
  return text.match(certificates) ?? []
}
