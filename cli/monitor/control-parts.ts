import type { Client } from '../daemon/client.ts'
import type { Actions } from './actions.ts'
import type { Messages } from './message.ts'
import type { Theme } from './panes/theme.ts'
import type { Screen } from './screen.ts'
import type { State } from './state.ts'

/** What the controls work with. */
export interface ControlParts {
  readonly state: State
  readonly screen: Screen
  readonly actions: Actions
  readonly messages: Messages
  readonly theme: Theme
  /** Returns the daemon; undefined while there is none. */
  daemon(): Client | undefined
  /** Draws the state, which has changed meanwhile. */
  redraw(): void
  /** Writes a sequence to the terminal that draws nothing. */
  send(sequence: string): void
  suspend(): void
  quit(): void
}
