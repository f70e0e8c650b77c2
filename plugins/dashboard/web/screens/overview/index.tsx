import { Empty } from '../../parts/empty.tsx'
import { groups } from '../../state/groups.ts'
import { isLoaded } from '../../state/services.ts'
import { Failures } from './failures.tsx'
import { LogTail } from './log-tail.tsx'
import { ServiceTable } from './service-table.tsx'
import './style.css'

/** What runs, what does not and why, where to click; below it the last lines of all. */
export default function Overview() {
  if (!isLoaded.value) return <Skeleton />
  if (groups.value.length === 0) return <NoProjects />
  return (
    <section class="overview" aria-label="Overview">
      <Failures />
      <ServiceTable />
      <LogTail />
    </section>
  )
}

function NoProjects() {
  return (
    <Empty title="Start a project" command="locald up">
      <p>
        Run it in a folder with a <code>locald.toml</code>. <code>locald init</code> writes one.
      </p>
    </Empty>
  )
}

/** The layout without its data, which is shown where it takes longer than 200 ms. */
function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: 8 }, (_, at) => (
        <i key={at} />
      ))}
    </div>
  )
}
