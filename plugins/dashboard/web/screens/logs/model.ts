import { computed, signal } from '@preact/signals'
import { Feed } from './feed.ts'
import type { Matcher } from './matcher.ts'
import { lowerBound, type Selection, View } from './view.ts'

/** Lines are drawn at most this often, ms: a service may print hundreds of times a second. */
const drawMs = 80

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
  matcher: Matcher | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #frame = 0
  #drawnMs = 0
  #wanted: string | undefined

  constructor(services: readonly string[]) {
    this.feed = new Feed(services, () => this.#schedule())
    this.view = new View(this.feed.lines)
  }

  /** Starts at the end, or at the line `SERVICE@TIME`. */
  start(line: string | undefined): void {
    this.#wanted = line
    this.feed.start(line?.slice(line.indexOf('@') + 1))
  }

  close(): void {
    this.feed.close()
    clearTimeout(this.#timer)
    cancelAnimationFrame(this.#frame)
  }

  select(selection: Selection): void {
    this.matcher = selection.matcher
    this.view.select(selection)
    this.version.value += 1
  }

  setFollowing(isFollowing: boolean): void {
    this.feed.setFollowing(isFollowing)
    if (isFollowing) this.chosen.value = undefined
  }

  /** Shows the line `SERVICE@TIME`, which the page may not have. */
  goTo(line: string): void {
    this.#wanted = line
    this.feed.goTo(line.slice(line.indexOf('@') + 1))
  }

  /** Chooses the next hit (1) or the one before (-1), and shows it. */
  step(by: 1 | -1): void {
    const { hits } = this.view
    if (hits.length === 0) return
    const from = this.chosen.value
    const at = from === undefined ? hits.length : lowerBound(hits, from)
    const isHere = hits[at] === from
    const next = by === 1 ? at + (isHere ? 1 : 0) : at - 1
    const number = hits[(next + hits.length) % hits.length]
    this.feed.setFollowing(false)
    this.chosen.value = number
    this.target.value = number
  }

  #schedule(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#frame = requestAnimationFrame(this.#draw)
      },
      Math.max(0, this.#drawnMs + drawMs - performance.now()),
    )
  }

  readonly #draw = (): void => {
    this.#timer = undefined
    this.#drawnMs = performance.now()
    this.view.update()
    this.#showWanted()
    this.version.value += 1
  }

  #showWanted(): void {
    const wanted = this.#wanted
    if (wanted === undefined) return
    const [service, time] = [wanted.slice(0, wanted.indexOf('@')), wanted.slice(wanted.indexOf('@') + 1)]
    const { lines } = this.feed
    const at = lines.slice(lines.first).findIndex(row => row.service === service && row.time === time)
    if (at < 0) return
    this.#wanted = undefined
    this.chosen.value = this.target.value = lines.first + at
  }
}
