import type { ServerStatus } from '../../../../../kernel/protocol.ts'
import { Act } from '../../parts/act.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { useAnswer } from '../../state/answer.ts'
import { now } from '../../state/clock.ts'
import { daemonUsage } from '../../state/usage.ts'
import { bytesOf, durationOf } from '../../state/words.ts'
import { link } from '../../stream/client.ts'

const nothing = { service: undefined, project: undefined }

/** The daemon itself: its process, what it listens on, and how to stop it. */
export function Daemon() {
  const { answer } = useAnswer<ServerStatus>('/server', {}, [link.value.state])
  const status = answer.value.value
  const usage = daemonUsage.value
  return (
    <section class="card" aria-label="Daemon">
      <h2>
        Daemon <code class="dim">locald server status</code>
      </h2>
      {status !== undefined && (
        <dl>
          <dt>Version</dt>
          <dd>{status.version}</dd>
          <dt>Process</dt>
          <dd>
            pid {status.pid}, up {durationOf(now.value - Date.parse(status.startedAt))}
          </dd>
          <dt>Memory, CPU</dt>
          <dd class="num">
            {usage === undefined || usage.memory === null
              ? '–'
              : `${bytesOf(usage.memory)}, ${(usage.cpu ?? 0).toFixed(1)} %`}
          </dd>
          <dt>Ports</dt>
          <dd>{portsOf(status)}</dd>
          <dt>Socket</dt>
          <dd class="mono">{status.socket}</dd>
        </dl>
      )}
      <p class="dim note">A restart leaves services running; a page cannot start the daemon.</p>
      <div class="buttons">
        <CopyButton text="locald server restart" what="the command" />
        <Act id="daemon.shutdown" context={nothing}>
          Shut down…
        </Act>
        <Act id="page.sign-out" context={nothing}>
          Sign out
        </Act>
      </div>
    </section>
  )
}

function portsOf({ http, https }: ServerStatus): string {
  const ports = [http === null ? [] : `http ${http}`, https === null ? [] : `https ${https}`].flat()
  return ports.length === 0 ? 'none' : ports.join(', ')
}
