import type { DiskAnswer, DiskEntry } from '../../../../../kernel/protocol.ts'
import { useAnswer } from '../../state/answer.ts'
import { hrefOf } from '../../state/place.ts'
import { bytesOf } from '../../state/words.ts'

/** How many entries are shown; the rest is summed up. */
const limit = 10

/** What locald has on disk, the largest first. */
export function Disk() {
  const { answer, reload } = useAnswer<DiskAnswer>('/disk', {})
  const disk = answer.value.value
  const most = disk?.entries[0]?.bytes ?? 1
  const others = disk?.entries.slice(limit) ?? []
  return (
    <section class="card" aria-label="Disk">
      <h2>
        Disk
        {disk !== undefined && (
          <span class="dim num">
            {bytesOf(disk.bytes)}, {bytesOf(disk.freeBytes)} free
          </span>
        )}
        <button type="button" onClick={reload}>
          Measure
        </button>
      </h2>
      {disk === undefined ? (
        <p class="dim">Measuring…</p>
      ) : (
        <>
          {!disk.complete && <p class="problem">Not all of it was counted in time: these are the least.</p>}
          <ul class="disk">
            {disk.entries.slice(0, limit).map(entry => (
              <li key={`${entry.what} ${entry.name ?? entry.path}`} title={entry.name ?? entry.path ?? ''}>
                <Name entry={entry} />
                <Bar share={entry.bytes / most} />
                <span class="num">{bytesOf(entry.bytes)}</span>
              </li>
            ))}
          </ul>
          {others.length > 0 && (
            <p class="dim note">
              {others.length} more: {bytesOf(others.reduce((sum, { bytes }) => sum + bytes, 0))}
            </p>
          )}
          <p class="mono note wrap">{disk.path}</p>
        </>
      )}
    </section>
  )
}

function Name({ entry: { what, name, project, service } }: { readonly entry: DiskEntry }) {
  if (service === null) return <span>{name === null ? what : `${what} ${name}`}</span>
  const key = `${project}:${service}`
  return (
    <span>
      {what} of <a href={hrefOf('service', { service: key })}>{key}</a>
    </span>
  )
}

/** A bar that is as long as its share of the largest. */
function Bar({ share }: { readonly share: number }) {
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect width={Math.max(1, share * 100)} height="6" rx="1" />
    </svg>
  )
}
