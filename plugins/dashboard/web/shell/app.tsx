import { titleOf } from '../actions/daemon.ts'
import { place } from '../state/place.ts'
import { shortName } from '../state/words.ts'
import { link } from '../stream/client.ts'
import { KeysDialog, QuestionDialog } from './dialogs.tsx'
import { Footer } from './footer.tsx'
import { Header } from './header.tsx'
import { LinkState, SignIn } from './link.tsx'
import { Palette } from './palette.tsx'
import { Rack } from './rack.tsx'
import { CurrentScreen } from './screen.tsx'
import { Tabs } from './tabs.tsx'
import { NoticeList, Toasts } from './toasts.tsx'

/** The whole page: header, projects, the screen, footer. */
export function App() {
  const { state } = link.value
  const { screen, service } = place.value
  if (state === 'refused') return <SignIn />
  return (
    <div class={state === 'lost' ? 'app is-lost' : 'app'}>
      <a class="skip" href="#main">
        Skip to the screen
      </a>
      <Header />
      <Rack />
      <div class="stage">
        <Tabs />
        <LinkState />
        <main id="main" tabIndex={-1}>
          <h1 class="only-read">{service === undefined ? titleOf(screen) : shortName(service)}</h1>
          <CurrentScreen />
        </main>
      </div>
      <Footer />
      <NoticeList />
      <Toasts />
      <Palette />
      <KeysDialog />
      <QuestionDialog />
    </div>
  )
}
