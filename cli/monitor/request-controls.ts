import type { ExchangeDetail, ExchangeView } from '../../plugins/proxy/provides.ts'
import { sanitizeLine } from '../output/sanitize.ts'
import type { Attempts } from './attempts.ts'
import { copySequence, fitsClipboard } from './clipboard.ts'
import type { ControlParts } from './control-parts.ts'
import type { RequestKeys } from './keymap.ts'
import { Page } from './panes/page.ts'
import { requestText } from './panes/request-text.ts'
import { Prompt } from './prompt.ts'

/** Does what the keys say with the requests, or with the one whose page is shown. */
export class RequestControls implements RequestKeys {
  readonly #parts: ControlParts
  readonly #attempts: Attempts

  constructor(parts: ControlParts, attempts: Attempts) {
    this.#parts = parts
    this.#attempts = attempts
  }

  selectNewer(): void {
    this.#move(1)
  }

  selectOlder(): void {
    this.#move(-1)
  }

  pageNewer(): void {
    this.#move(this.#parts.screen.requestPage)
  }

  pageOlder(): void {
    this.#move(-this.#parts.screen.requestPage)
  }

  selectOldest(): void {
    this.#move(Number.NEGATIVE_INFINITY)
  }

  selectNewest(): void {
    this.#parts.state.requests.follow()
  }

  filter(): void {
    const { state } = this.#parts
    state.page = undefined
    state.prompt = new Prompt('/', {
      changed: text => {
        state.requests.filter = text
      },
    })
  }

  toggleAll(): void {
    const { state } = this.#parts
    state.hasAllRequests = !state.hasAllRequests
  }

  show(): void {
    this.#act(id => this.#show(id))
  }

  replay(): void {
    const { state, redraw } = this.#parts
    const isShown = state.page !== undefined
    this.#act(id =>
      this.#attempts.run('Replaying…', async daemon => {
        const row = await daemon.post<ExchangeView>(`${pathOf(id)}/replay`, {}, null)
        state.requests.add([row])
        state.requests.choose(row.id)
        if (isShown && state.page !== undefined) await this.#show(row.id)
        redraw()
        return sanitizeLine(`Replayed ${row.method} ${row.path}: ${row.status ?? row.error ?? 'no response'}`)
      }),
    )
  }

  copyCurl(): void {
    const { messages, send } = this.#parts
    this.#act(id =>
      this.#attempts.run(undefined, async daemon => {
        const { text } = await daemon.get<{ readonly text: string }>(`${pathOf(id)}/snippet`, { as: 'curl' })
        if (!fitsClipboard(text)) {
          messages.show(`Too long for a clipboard: \`locald requests show ${id} --curl\` prints it`)
          return undefined
        }
        send(copySequence(text))
        return 'Copied as curl, secrets masked'
      }),
    )
  }

  copyUrl(): void {
    const { state, messages, send } = this.#parts
    const row = state.selectedRequest
    if (row === undefined) return
    const url = `${row.scheme}://${row.host}${row.path}`
    send(copySequence(url))
    messages.show(`Copied ${sanitizeLine(url)}`)
  }

  /** Nothing: a key of the log. */
  ignore(): void {}

  async #show(id: string): Promise<void> {
    const { state, theme } = this.#parts
    await this.#attempts.run(undefined, async daemon => {
      const detail = await daemon.get<ExchangeDetail>(pathOf(id))
      state.page = new Page(`request ${id}`, requestText(detail, theme), id)
      return undefined
    })
  }

  #move(by: number): void {
    const { requests, shownRequests } = this.#parts.state
    requests.move(shownRequests, by)
  }

  #act(act: (id: string) => Promise<void>): void {
    const { state, redraw } = this.#parts
    const id = state.page?.request ?? state.selectedRequest?.id
    if (id !== undefined) void act(id).then(redraw)
  }
}

function pathOf(id: string): string {
  return `/v1/requests/${encodeURIComponent(id)}`
}
