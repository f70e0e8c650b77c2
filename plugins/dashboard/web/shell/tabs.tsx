import { useEffect, useRef } from 'preact/hooks'
import { titleOf } from '../actions/daemon.ts'
import { hrefOf, place, type ScreenName, screens } from '../state/place.ts'
import { shortName } from '../state/words.ts'

/** The screens. The one of a service is there while it is shown. */
export function Tabs() {
  const { screen, service } = place.value
  const tabs = useRef<HTMLElement>(null)
  // On a narrow page not all tabs are in sight.
  useEffect(() => {
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [screen, service])
  return (
    <nav class="tabs" aria-label="Screens" ref={tabs}>
      {screens.map(name => (
        <Tab key={name} name={name} isCurrent={screen === name} />
      ))}
      {service !== undefined && (
        <a href={hrefOf('service', { service })} aria-current="page">
          {shortName(service)}
        </a>
      )}
      {/* A screen puts its tools here, by a portal. */}
      <div class="tools" id="tools" />
    </nav>
  )
}

function Tab({ name, isCurrent }: { readonly name: ScreenName; readonly isCurrent: boolean }) {
  return (
    <a href={hrefOf(name)} aria-current={isCurrent ? 'page' : undefined}>
      {titleOf(name)}
    </a>
  )
}
