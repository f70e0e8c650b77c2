/** What is known of an element that scrolls. */
export type Scrolled = Pick<Element, 'scrollTop' | 'scrollHeight' | 'clientHeight'>

/**
 * Distinguishes the user's scrolling from the page's: the event of either comes later and does not say whose it is. A
 * position that the page did not write is the user's.
 */
export class ScrollWatch {
  /** Where the element was last, px. */
  #known = 0
  #moved = 0

  /** What the user has scrolled since the last `take`, px; upwards is negative. */
  get moved(): number {
    return this.#moved
  }

  /** Looks where the element is now; returns how far the user has scrolled it since the last look, px. */
  look({ scrollTop, scrollHeight, clientHeight }: Scrolled): number {
    const moved = scrollTop - this.#known
    // The browser moves up to the end where the content shrinks, or the element grows.
    const isClamped = moved < 0 && scrollHeight - clientHeight - scrollTop < 1
    if (Math.abs(moved) < 1 && !isClamped) return 0
    this.#known = scrollTop
    if (isClamped) return 0
    this.#moved += moved
    return moved
  }

  /** Scrolls the element, px. */
  write(element: Scrolled, top: number): void {
    if (Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top
    // The browser rounds it, and keeps it between the ends.
    this.#known = element.scrollTop
  }

  /** Returns what the user has scrolled since this was last asked, px. */
  take(): number {
    const moved = this.#moved
    this.#moved = 0
    return moved
  }
}
