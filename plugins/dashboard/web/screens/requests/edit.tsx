import { useSignal } from '@preact/signals'
import type { ExchangeDetail, ReplayBody } from '../../../../proxy/provides.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { editing } from './chosen.ts'
import { replay } from './commands.ts'

/** The editor of a request, while there is one. */
export function Editor() {
  const detail = editing.value
  return detail === undefined ? null : <Form key={detail.id} detail={detail} />
}

function Form({ detail }: { readonly detail: ExchangeDetail }) {
  const { method, path, requestHeaders, requestBody } = detail
  const line = useSignal(`${method} ${path}`)
  const headersBefore = requestHeaders.map(({ name, value }) => `${name}: ${value}`).join('\n')
  const headers = useSignal(headersBefore)
  const body = useSignal(requestBody.text ?? '')
  const close = () => (editing.value = undefined)
  const submit = (event: Event): void => {
    event.preventDefault()
    close()
    const [verb = method, target = path] = line.value.trim().split(/\s+/)
    // What is as before is left out: then the recorded bytes are sent, which may be no text.
    const changes: ReplayBody = {
      ...(verb.toUpperCase() === method ? {} : { method: verb.toUpperCase() }),
      ...(target === path ? {} : { path: target }),
      ...(headers.value === headersBefore ? {} : { headers: parseHeaders(headers.value) }),
      ...(body.value === (requestBody.text ?? '') ? {} : { body: withLineEnds(body.value, requestBody.text ?? '') }),
    }
    void replay(detail.id, changes)
  }
  return (
    <Dialog label="Edit and replay" class="edit-request" close={close}>
      <form onSubmit={submit}>
        <h2>Edit and replay</h2>
        <label>
          Method and path
          <input class="mono" value={line.value} onInput={event => (line.value = event.currentTarget.value)} />
        </label>
        <label>
          Headers
          <textarea
            class="mono"
            rows={8}
            spellcheck={false}
            value={headers.value}
            onInput={event => (headers.value = event.currentTarget.value)}
          />
        </label>
        <label>
          Body{requestBody.text === null && requestBody.bytes > 0 ? ` (${requestBody.note ?? 'binary'})` : ''}
          <textarea
            class="mono"
            rows={10}
            spellcheck={false}
            value={body.value}
            onInput={event => (body.value = event.currentTarget.value)}
          />
        </label>
        <p class="buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Send
          </button>
        </p>
      </form>
    </Dialog>
  )
}

/** A text area has LF alone: where all were CRLF, as in forms with files, they are again. */
function withLineEnds(text: string, before: string): string {
  const isCrlf = before.includes('\r\n') && !/(?<!\r)\n/.test(before)
  return isCrlf ? text.replace(/\r?\n/g, '\r\n') : text
}

function parseHeaders(text: string): { readonly name: string; readonly value: string }[] {
  return text.split('\n').flatMap(line => {
    const [, name, value = ''] = /^([^:\s]+):\s*(.*)$/.exec(line.trim()) ?? []
    return name === undefined ? [] : [{ name, value }]
  })
}
