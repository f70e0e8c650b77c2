import { type Signal, signal, useSignalEffect } from '@preact/signals'
import type { ComponentType } from 'preact'
import Overview from '../screens/overview/index.tsx'
import { place, type ScreenName } from '../state/place.ts'

type Screen = ComponentType

const loaders: Readonly<Record<ScreenName, () => Promise<{ readonly default: Screen }>>> = {
  // What opens first comes with the app.
  overview: async () => ({ default: Overview }),
  logs: () => import('../screens/logs/index.tsx'),
  requests: () => import('../screens/requests/index.tsx'),
  terminals: () => import('../screens/terminals/index.tsx'),
  graph: () => import('../screens/graph/index.tsx'),
  service: () => import('../screens/service/index.tsx'),
  system: () => import('../screens/system/index.tsx'),
}

const loaded = new Map<ScreenName, Signal<Screen | Error | undefined>>()

/** Shows the screen of the present place, whose code is loaded when it is first shown. */
export function CurrentScreen() {
  const { screen } = place.value
  useSignalEffect(() => void load(place.value.screen))
  const found = own(screen).value
  if (found === undefined) return null
  if (found instanceof Error) return <LoadFailure error={found} />
  const Found = found
  return <Found key={screen} />
}

function LoadFailure({ error }: { readonly error: Error }) {
  return (
    <section class="empty" aria-label="Failed to load">
      <p>The page failed to load: {error.message}</p>
      <p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </p>
    </section>
  )
}

async function load(screen: ScreenName): Promise<void> {
  const it = own(screen)
  if (it.peek() !== undefined) return
  try {
    it.value = (await loaders[screen]()).default
  } catch (error) {
    it.value = error instanceof Error ? error : new Error(String(error))
  }
}

function own(screen: ScreenName): Signal<Screen | Error | undefined> {
  const known = loaded.get(screen)
  if (known !== undefined) return known
  const it = signal<Screen | Error | undefined>(undefined)
  loaded.set(screen, it)
  return it
}
