import type { ServiceView } from '../../../../../kernel/events.ts'
import type { DetailsAnswer } from '../../../../../kernel/protocol.ts'
import '../../parts/card.css'
import { Empty } from '../../parts/empty.tsx'
import { useAnswer } from '../../state/answer.ts'
import { place } from '../../state/place.ts'
import { isLoaded, serviceOf } from '../../state/services.ts'
import { Account } from './account.tsx'
import { Actions } from './actions.tsx'
import { Commands } from './commands.tsx'
import { EnvironmentTable } from './environment.tsx'
import { Facts } from './facts.tsx'
import { Head } from './head.tsx'
import { LastLines } from './last-lines.tsx'
import { Neighbours } from './neighbours.tsx'
import './style.css'
import { Timeline } from './timeline.tsx'
import { UsageCharts } from './usage.tsx'

/** One service: why it is in its state, what it gets and needs, and what has happened to it. */
export default function Service() {
  const key = place.value.service ?? ''
  const view = serviceOf(key).value
  if (view !== undefined) return <Known key={key} view={view} />
  if (!isLoaded.value) return <section class="service" aria-label="Service" />
  return (
    <Empty title={`There is no service ${key}`} command="locald status --all">
      <p>
        <a href="/">Show all services</a>
      </p>
    </Empty>
  )
}

function Known({ view }: { readonly view: ServiceView }) {
  const { path, name, status, health, reason, restarts, pid } = view
  const changes = [status, health, reason, restarts, pid]
  const { answer } = useAnswer<DetailsAnswer>('/services/details', { path, service: name }, changes)
  const { value: details, error } = answer.value
  return (
    <section class="service" aria-label={`Service ${name}`} data-service={view.key}>
      <Head view={view} />
      <div class="columns">
        <div class="wide">
          <Account view={view} changes={changes} />
          <UsageCharts id={view.key} path={path} name={name} />
          <LastLines id={view.key} />
          <EnvironmentTable view={view} changes={changes} />
          <Timeline view={view} changes={changes} />
        </div>
        <div class="side">
          {error !== undefined && <p class="problem">{error.message}</p>}
          {details !== undefined && <Facts view={view} details={details} />}
          {details !== undefined && <Neighbours details={details} />}
          <Commands view={view} changes={changes} />
          <Actions view={view} />
        </div>
      </div>
    </section>
  )
}
