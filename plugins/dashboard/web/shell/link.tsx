import { useSignal, useSignalEffect } from '@preact/signals'
import { durationOf } from '../state/words.ts'
import { link, retry } from '../stream/client.ts'

/** Shows that the connection is lost, since when, and that the page tries again. */
export function LinkState() {
  const now = useSignal(Date.now())
  useSignalEffect(() => {
    if (link.value.state !== 'lost') return
    now.value = Date.now()
    const timer = setInterval(() => {
      now.value = Date.now()
    }, 1000)
    return () => clearInterval(timer)
  })
  const it = link.value
  return (
    <div role="status" class={it.state === 'lost' ? 'link lost' : 'link'}>
      {it.state === 'lost' && (
        <>
          <i class="s wait" aria-hidden="true" /> The daemon was last seen {durationOf(now.value - it.since)} ago,
          reconnecting…{' '}
          <button type="button" onClick={retry}>
            Connect now
          </button>
        </>
      )}
    </div>
  )
}

/** Replaces the page where the daemon wants a session. */
export function SignIn() {
  return (
    <main class="sign-in" id="main">
      <h1>Sign in</h1>
      <p>Run this command in a terminal on this machine. It opens the dashboard with a link that works once.</p>
      <p>
        <code>locald dashboard</code>
      </p>
      <p>
        <button type="button" onClick={retry}>
          Check again
        </button>
      </p>
    </main>
  )
}
