import { computed, signal } from '@preact/signals'
import { Feed } from './feed.ts'
import { lineName, timeIn } from './query.ts'
import { lowerBound, type Selection, View } from './view.ts'

/** Lines are drawn at most this often, ms: a service may print hundreds of times a second. */
const drawMs = 80
/** A key that goes to a hit waits so long until it is found, ms. */
const hitMs = 2000

/** The screen's state beside the URL: the lines, what is shown of them, and where the user reads. */
export class Model {
  readonly feed: Feed
  readonly view: View
  /** Rises with every change that is drawn. */
  readonly version = signal(0)
  /** The number of the line that the user chose: a hit, or that of a link. */
  readonly chosen = signal<number | undefined>(undefined)
  /** A line that the list is to show. */
  readonly target = signal<number | undefined>(undefined)
  readonly isFollowing = computed(() => this.version.value >= 0 && this.feed.isFollowing)
  /** Why the expression is not used. */
  readonly problem = computed(() => (this.version.value >= 0 ? this.view.problem : undefined))
  #timer: ReturnType<typeof setTimeout> | undefined
  #frame = 0
  #drawnMs = 0
  #wanted: string | undefined
  /** Whether there are lines left that were not searched. */
  #isReading = false
  /** The step to a hit that is not found yet, and until when it is still meant: ms of performance.now(). */
  #awaited: { readonly by: 1 | -1; readonly untilMs: number } | undefined

  constructor(services: readonly string[]) {
    this.feed = new Feed(services, () => this.#schedule())
    this.view = new View(this.feed.lines, () => this.#schedule())
  }

  /** Starts at the end, or at the line with a name. */
  start(line: string | undefined): void {
    this.#wanted = line
    this.feed.start(line === undefined ? undefined : timeIn(line))
  }

  close(): void {
    this.feed.close()
    this.view.close()
    clearTimeout(this.#timer)
    cancelAnimationFrame(this.#frame)
  }

  select(selection: Selection): void {
    this.view.select(selection)
    this.#drawnMs = 0
    this.#update()
  }

  setFollowing(isFollowing: boolean): void {
    this.feed.setFollowing(isFollowing)
    if (isFollowing) this.chosen.value = undefined
  }

  /** Shows the line with a name, which the page may not have. */
  goTo(line: string): void {
    this.#wanted = line
    this.feed.goTo(timeIn(line))
  }

  /** Chooses the next hit (1) or the one before (-1), and shows it, as soon as it is found. */
  step(by: 1 | -1): void {
    const isDone = this.#tryStep(by)
    this.#awaited = isDone ? undefined : { by, untilMs: performance.now() + hitMs }
  }

  /** Returns false where the lines that may have the hit are not read yet. */
  #tryStep(by: 1 | -1): boolean {
    const { hits } = this.view
    if (hits.length === 0) return false
    const from = this.chosen.value
    const at = from === undefined ? hits.length : lowerBound(hits, from)
    const isHere = hits[at] === from
    const next = by === 1 ? at + (isHere ? 1 : 0) : at - 1
    if (next < 0 && this.#isReading) return false
    const number = hits[(next + hits.length) % hits.length]
    this.feed.setFollowing(false)
    this.chosen.value = number
    this.target.value = number
    return true
  }

  #schedule(pauseMs = drawMs): void {
    this.#timer ??= setTimeout(
      () => {
        this.#frame = requestAnimationFrame(this.#draw)
      },
      Math.max(0, this.#drawnMs + pauseMs - performance.now()),
    )
  }

  readonly #draw = (): void => {
    this.#timer = undefined
    this.#drawnMs = performance.now()
    this.#update()
    this.#showWanted()
  }

  #update(): void {
    this.#isReading = this.view.update()
    this.version.value += 1
    this.#takeAwaited()
    if (this.#isReading) this.#schedule(0)
  }

  #takeAwaited(): void {
    const awaited = this.#awaited
    if (awaited === undefined) return
    if (performance.now() > awaited.untilMs || this.#tryStep(awaited.by)) this.#awaited = undefined
  }

  #showWanted(): void {
    const wanted = this.#wanted
    if (wanted === undefined) return
    const { lines } = this.feed
    const time = timeIn(wanted)
    const at = lines.slice(lines.first).findIndex(row => row.time === time && lineName(row) === wanted)
    if (at < 0) return
    this.#wanted = undefined
    this.chosen.value = this.target.value = lines.first + at
  }
}
