import { CurrentScreen } from './screen.tsx'

/** The whole page: header, projects, the screen, footer. */
export function App() {
  return (
    <main id="main">
      <CurrentScreen />
    </main>
  )
}
