import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readTextFile } from '../../../kernel/contract/plugin.ts'
import { makeFolder, writeAtomic } from '../../lib/files.ts'

/** Bytes above which a file of authorities is not read; those of systems have a quarter of a megabyte. */
const sizeLimit = 16 * 1024 * 1024

// The labels that OpenSSL reads a certificate from (PEM_read_bio_X509_AUX); a key beside it stays where it is.
const certificates = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g

/** A file for NODE_EXTRA_CA_CERTS, and what is wrong with the one that was asked for. */
export interface CaBundle {
  readonly file: string
  readonly problem?: string
}

/**
 * The files that services of Node's trust: a person's own authorities, such as a company's, and the local CA, as Node reads one file
 * only. Each is named after the person's file, so that it stays the same while its content changes.
 */
export class CaBundles {
  readonly #folder: string
  readonly #making = new Map<string, Promise<CaBundle>>()
  readonly #sources = new Map<string, { readonly root: string; readonly written: string }>()

  /** @param folder of its own; made on demand, mode 0700 */
  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The file with what `written` (absolute) and `root` hold, as they are now; `root` alone where the first cannot be used. All services
   * of a project ask at once: one look serves them.
   */
  of(root: string, written: string): Promise<CaBundle> {
    const key = `${root}\0${written}`
    const making = this.#making.get(key) ?? this.#make(root, written).finally(() => this.#making.delete(key))
    this.#making.set(key, making)
    return making
  }

  async #make(root: string, written: string): Promise<CaBundle> {
    if (written === root) return { file: root }
    // Given on by a service of ours: it has both already.
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

  /** Brings the files that `of` has made up to date. One whose source cannot be read at the moment stays as it is. */
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

/** The certificates in a file, or why there are none. */
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
