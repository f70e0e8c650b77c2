import { createHash, randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readTextFile } from '../../../kernel/contract/plugin.ts'
import { makeFolder, writeAtomic } from '../../lib/files.ts'

/** Larger files of authorities are not read: bytes; those of systems have a quarter of a megabyte. */
const sizeLimit = 16 * 1024 * 1024

/** Two writes this close may get the same time from a file system: ms. */
const youngMs = 50

// The labels from which OpenSSL reads a certificate (PEM_read_bio_X509_AUX); a private key in the file is not copied.
const certificates = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g

/** A file for NODE_EXTRA_CA_CERTS, and what is wrong with the requested one. */
export interface CaBundle {
  readonly file: string
  readonly problem?: string
}

/** A bundle, and the state of the files that it was made of and written to. */
interface MadeBundle {
  readonly sources: string
  readonly target: string
  readonly bundle: CaBundle
}

/** What was found wrong with a file (undefined: nothing) in this state. */
interface CheckedFile {
  readonly state: string
  readonly problem: string | undefined
}

/**
 * The files of authorities for Node's services: the user's own, such as a company's, and the local CA, as Node reads
 * one file only. Each is named after the user's file, so that its name stays while its content changes.
 */
export class CaBundles {
  readonly #folder: string
  readonly #making = new Map<string, Promise<CaBundle>>()
  readonly #sources = new Map<string, { readonly root: string; readonly written: string }>()
  /** Reading a file of authorities takes a millisecond and a megabyte of memory, for each service at each start. */
  readonly #made = new Map<string, MadeBundle>()
  readonly #checked = new Map<string, CheckedFile>()

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
    const file = join(this.#folder, `${createHash('sha256').update(written).digest('hex').slice(0, 16)}.pem`)
    const sources = await sourcesOf(written, root)
    const known = this.#made.get(file)
    if (known !== undefined && known.sources === sources && known.target === (await stateOf(file))) return known.bundle
    const own = await this.#certificatesIn(written)
    if (typeof own === 'string') return { file: root, problem: own }
    const ours = pemOf(await readFile(root, 'latin1').catch(() => ''))
    const head = `# Made by locald of ${JSON.stringify(written)} and its own CA: changes are lost.`
    const text = `${[head, ...own, ...ours].join('\n')}\n`
    const before = await readFile(file, 'latin1').catch(() => undefined)
    makeFolder(this.#folder)
    if (before !== text) writeAtomic(file, text, { durable: false })
    this.#sources.set(file, { root, written })
    const bundle = { file }
    this.#made.set(file, { sources, target: await stateOf(file), bundle })
    return bundle
  }

  /** Updates the files that `of` has returned. One whose source is unreadable at the moment is kept. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#sources.values()].map(({ root, written }) => this.of(root, written).catch(() => {})))
  }

  /** Returns why a file cannot be part of a bundle; undefined: it can. */
  async problemOf(written: string): Promise<string | undefined> {
    if (dirname(written) === this.#folder) return undefined
    const checked = this.#checked.get(written)
    if (checked !== undefined && checked.state === (await sourcesOf(written))) return checked.problem
    const found = await this.#certificatesIn(written)
    return typeof found === 'string' ? found : undefined
  }

  async #certificatesIn(file: string): Promise<readonly string[] | string> {
    const state = await sourcesOf(file)
    const found = await certificatesIn(file)
    this.#checked.set(file, { state, problem: typeof found === 'string' ? found : undefined })
    return found
  }
}

/** Returns a text that differs once a file has been replaced or written. */
async function stateOf(file: string): Promise<string> {
  const found = await stat(file, { bigint: true }).catch(() => undefined)
  return found === undefined ? '' : [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ')
}

/** Returns the state of files that others write; it always differs while one is too young for its next change to show. */
async function sourcesOf(...files: readonly string[]): Promise<string> {
  const states = await Promise.all(files.map(stateOf))
  const isYoung = states.some(state => Date.now() - Number(state.split(' ').at(-1)) / 1e6 < youngMs)
  return isYoung ? randomUUID() : states.join('\n')
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
