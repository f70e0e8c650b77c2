import { ApiError } from '../api.ts'
import { runDoctor } from '../state/doctor.ts'
import { notify, notifyError } from '../state/notices.ts'
import { go, hrefOf, type ScreenName, screens } from '../state/place.ts'
import { nextTheme, theme } from '../state/theme.ts'
import { copy } from './copy.ts'
import { shutDown } from './project.ts'
import type { Action } from './registry.ts'

/** `g`, then the letter. */
const letters: Readonly<Record<(typeof screens)[number], string>> = {
  overview: 'o',
  logs: 'l',
  requests: 'r',
  terminals: 't',
  graph: 'g',
  system: 's',
}

const titles: Readonly<Record<ScreenName, string>> = {
  ...{ overview: 'Overview', logs: 'Logs', requests: 'Requests', terminals: 'Terminals', graph: 'Graph' },
  ...{ system: 'System', service: 'Service' },
}

/** Returns the name of a screen as people read it. */
export function titleOf(screen: ScreenName): string {
  return titles[screen]
}

/** Actions that go to a screen. */
export const screenActions: readonly Action[] = screens.map(screen => ({
  ...{ id: `go.${screen}`, key: `g ${letters[screen]}`, keywords: 'screen page show' },
  title: () => `Go to ${titles[screen]}`,
  run: () => go(hrefOf(screen)),
}))

/** Actions of the daemon and of this page. */
export const daemonActions: readonly Action[] = [
  {
    ...{ id: 'daemon.doctor', keywords: 'check fix problem' },
    title: () => 'Check this machine',
    cli: () => 'locald doctor',
    run: async () => {
      go(hrefOf('system'))
      await runDoctor().catch(notifyError)
    },
  },
  {
    ...{ id: 'daemon.restart', keywords: 'daemon update' },
    title: () => 'Copy the command that restarts the daemon; services keep running',
    cli: () => 'locald server restart',
    run: () => copy('locald server restart', 'the command for your terminal'),
  },
  {
    ...{ id: 'daemon.shutdown', keywords: 'quit exit stop daemon' },
    title: () => 'Shut down locald…',
    cli: () => 'locald server shutdown',
    run: shutDown,
  },
  {
    ...{ id: 'page.sign-out', keywords: 'log out logout session leave' },
    title: () => 'Sign out this browser',
    run: signOut,
  },
  {
    ...{ id: 'page.theme', keywords: 'dark light colours appearance' },
    title: () => 'Switch between light, dark and automatic colours',
    run: () => {
      nextTheme()
      notify({ kind: 'done', text: `Colours: ${theme.value === 'auto' ? 'as the system' : theme.value}` })
    },
  },
]

/** Closes the session of this browser, and shows what a browser without one gets. */
async function signOut(): Promise<void> {
  const response = await fetch('/sign-out', { method: 'POST' })
  if (!response.ok) throw new ApiError(`sign-out failed: status ${response.status}`, 'INTERNAL', response.status)
  location.replace('/')
}
