import { type FileHandle, open, stat } from 'node:fs/promises'
import { messageOf, systemCode } from '../../../kernel/errors.ts'
import { Appender } from './appender.ts'
import { criEntries } from './cri-entries.ts'
import { FileWatch } from './file-watch.ts'
import type { FollowedContainer, LogFollower } from './follower.ts'
import { comparedLength, positionAfter, removeFile, savedPosition, savePosition } from './position.ts'

/** Bytes read at once. */
const blockLength = 128 * 1024
const newline = 0x0a
/** How often entries that could not be written are retried, ms. */
const retryMs = 1000
/** How long `drained` waits for a log that cannot be written, or a file that cannot be read, ms. */
const drainMs = 5000
/** How long after output its position is saved, ms. */
const saveMs = 1000

/** What a look at the file found. */
type Look = 'more' | 'nothing' | 'unwritten'

/** Follows the file that conmon writes a container's output to. */
export class FileLog implements LogFollower {
  readonly #input: FollowedContainer & { readonly file: string }
  readonly #watch: FileWatch
  readonly #block = Buffer.allocUnsafe(blockLength + comparedLength)
  #appender: Appender
  #handle: FileHandle | undefined
  #offset = 0
  /** The last bytes before the offset. */
  #before: Buffer = Buffer.alloc(0)
  #isFirst = true
  /** The rest of a file that was replaced is being read. */
  #isLast = false
  #isReported = false
  #isClosed = false
  #deadline: NodeJS.Timeout | undefined
  #saveTimer: NodeJS.Timeout | undefined
  /** Called at the file's end when no more will be written to it. */
  readonly #drains = new Set<() => void>()
  readonly #done: Promise<void>

  constructor(input: FollowedContainer & { readonly file: string }) {
    this.#input = input
    this.#appender = new Appender(input.log, undefined)
    this.#watch = new FileWatch(input.file)
    this.#done = this.#run()
  }

  async drained(): Promise<void> {
    if (this.#isClosed) return
    const isComplete = await new Promise<boolean>(resolve => {
      this.#deadline = setTimeout(() => resolve(false), drainMs)
      this.#drains.add(() => resolve(true))
      this.#watch.wake()
    })
    clearTimeout(this.#deadline)
    const isInLog = isComplete && this.#appender.finish()
    if (!isInLog) this.#input.log.write('locald', 'the last output of the container could not be written')
    this.close()
    await this.#done
    // Else it would grow with each container; the next one's follower continues a file that is still there.
    if (isInLog) await removeFile(this.#input.file)
  }

  close(): void {
    this.#isClosed = true
    this.#watch.close()
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const drains = [...this.#drains]
      const look = await this.#look().catch(error => this.#report(error))
      if (look === 'more') this.#deadline?.refresh()
      if (look === 'nothing') {
        for (const drained of drains) drained()
        await this.#watch.next()
      }
      if (look === 'unwritten') await this.#watch.retry(retryMs)
    }
    clearTimeout(this.#saveTimer)
    await this.#save()
    await this.#handle?.close()
  }

  /** Appends the next entries of the file. */
  async #look(): Promise<Look> {
    this.#handle ??= await this.#open()
    const handle = this.#handle
    if (handle === undefined) return 'nothing'
    const kept = this.#before.length
    const { bytesRead } = await handle.read(this.#block, 0, this.#block.length, this.#offset - kept)
    // Truncated, perhaps to grow again since.
    if (!this.#block.subarray(0, Math.min(kept, bytesRead)).equals(this.#before)) return this.#moveToStart()
    const read = this.#block.subarray(kept, bytesRead)
    const end = read.lastIndexOf(newline) + 1
    // A block without a newline is no log; a shorter one is an entry that is being written.
    if (end === 0 && bytesRead < this.#block.length) return await this.#lookForAnother(handle)
    const length = end === 0 ? read.length : end
    if (this.#isClosed) return 'nothing'
    if (!this.#appender.append(criEntries(read.subarray(0, length)))) return 'unwritten'
    this.#offset += length
    this.#before = Buffer.from(this.#block.subarray(Math.max(0, kept + length - comparedLength), kept + length))
    this.#saveTimer ??= setTimeout(() => void this.#save(), saveMs)
    return 'more'
  }

  #moveToStart(): Look {
    this.#offset = 0
    this.#before = Buffer.alloc(0)
    return 'more'
  }

  /** At the file's end: looks whether there is another one in its place. */
  async #lookForAnother(handle: FileHandle): Promise<Look> {
    const mine = await handle.stat()
    const there = await stat(this.#input.file).catch(() => undefined)
    if (there === undefined || (there.ino === mine.ino && there.dev === mine.dev)) return 'nothing'
    // Its last lines were written before the new file was there.
    const { size } = await handle.stat()
    if (size > this.#offset && !this.#isLast) {
      this.#isLast = true
      return 'more'
    }
    this.#isLast = false
    this.#handle = undefined
    await handle.close()
    return this.#moveToStart()
  }

  /** Opens the file, at its first time behind what is in the service's log already. */
  async #open(): Promise<FileHandle | undefined> {
    const { file, log } = this.#input
    const handle = await openIfThere(file)
    if (handle === undefined || !this.#isFirst) return handle
    try {
      const saved = await savedPosition(file, handle)
      const last = await log.lastEntry()
      const position = await positionAfter(handle, saved, last)
      this.#offset = position.offset
      this.#before = position.before
      this.#appender = new Appender(log, last, position.unfinished)
      this.#isFirst = false
      // A daemon that is killed soon would search from the earlier one again.
      await savePosition(file, position)
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async #save(): Promise<void> {
    this.#saveTimer = undefined
    if (this.#handle === undefined) return
    const { last, unfinished } = this.#appender
    await savePosition(this.#input.file, { offset: this.#offset, before: this.#before, last, unfinished })
  }

  #report(error: unknown): Look {
    if (!this.#isReported) this.#input.log.write('locald', `the container's output cannot be read: ${messageOf(error)}`)
    this.#isReported = true
    // What is in the service's log decides where it continues.
    void this.#handle?.close().catch(() => {})
    this.#handle = undefined
    this.#isFirst = true
    return 'unwritten'
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
