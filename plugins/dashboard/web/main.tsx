/**
 * The web app of the dashboard. A screen is a folder of `screens/` whose index.tsx exports a component by default and
 * imports its style sheet; `shell/screen.tsx` loads it when it is first shown. In a screen:
 *
 * - **What runs**: `services.value`, `serviceOf(key).value` of state/services.ts; `usageOf(key).value` of state/usage.ts.
 * - **A topic of the stream**: `useEffect(() => follow('logs', { services, tail, onValues }), [...])` of stream/client.ts.
 *   `onValues` gets what is known at first, then what comes, without gaps and doubles, also over lost connections.
 * - **The API**: `get('/services/why', { path, service })`, `post`, `lines` of api.ts; a failure is an `ApiError`.
 * - **The URL is the state**: `place.value.query.get('q')` and `setQuery({ q })` of state/place.ts; links are plain `<a>`.
 * - **Actions and keys**: `useActions(() => [{ id, title, key, keywords, run }])` of actions/registry.ts adds them to the
 *   keys, the list of keys and the palette while the screen is shown. Rows carry `data-service={key}`: actions of a
 *   service are done with the focused row's.
 * - **Failures**: `notifyError(error)` of state/notices.ts shows a toast with code and hint.
 *
 * Imports run downwards: shell, screens, actions, parts, state, stream, api.
 */
import { render } from 'preact'
import { registerCommon } from './actions/all.ts'
import { titleOf } from './actions/daemon.ts'
import { App } from './shell/app.tsx'
import { startKeys } from './shell/keys.ts'
import { startClock } from './state/clock.ts'
import { runDoctor } from './state/doctor.ts'
import { startHolders } from './state/holders.ts'
import { startPlace, startTitle } from './state/place.ts'
import { services, startServices } from './state/services.ts'
import { startUsage } from './state/usage.ts'
import { shortName, stateOf } from './state/words.ts'

startPlace()
startServices()
startUsage()
startHolders()
startClock()
registerCommon()
startKeys()
startTitle(({ screen, service }) => {
  const failed = services.value.filter(view => stateOf(view).shape === 'bad').length
  const name = service === undefined ? titleOf(screen) : shortName(service)
  return `${failed === 0 ? '' : `▲ ${failed} `}${name} · locald`
})
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
// After the first paint: the checks run programs.
setTimeout(() => void runDoctor().catch(() => undefined), 500)
