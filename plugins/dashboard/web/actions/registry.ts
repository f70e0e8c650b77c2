/**
 * All that can be done, once: buttons, keys and the palette read the same list. A screen adds its own while it is shown:
 *
 *     useActions(() => [{ id: 'logs.wrap', title: () => 'Wrap lines', key: 'w', keywords: 'break', run: toggleWrap }])
 *
 * A key is written as tinykeys reads it: `r`, `g l`, `$mod+k`. Keys do nothing inside inputs, dialogs and terminals.
 */

import { signal } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'
import type { ServiceView } from '../../../../kernel/events.ts'
import type { KnownProjectView } from '../../../../kernel/protocol.ts'

/** What an action is done with. */
export interface Context {
  readonly service: ServiceView | undefined
  readonly project: KnownProjectView | undefined
}

export interface Action {
  /** `group.name`, unique. */
  readonly id: string
  /** What it does: a verb first. */
  title(context: Context): string
  /** The words of the CLI for the same. */
  cli?(context: Context): string | undefined
  /** More words that the palette finds it by. */
  readonly keywords?: string
  readonly key?: string
  /** Whether it can be done now; absent: always. */
  isShown?(context: Context): boolean
  /** Whether it is meant for one service: the palette then lists it for each. */
  readonly isOfService?: boolean
  run(context: Context): void | Promise<void>
}

/** All registered actions, in the order of the palette. */
export const actions = signal<readonly Action[]>([])

/** Adds actions until the result is called. An action replaces an earlier one with its key while it is there. */
export function register(added: readonly Action[]): () => void {
  actions.value = [...actions.value, ...added]
  return () => {
    actions.value = actions.value.filter(action => !added.includes(action))
  }
}

/** Registers the actions of a component while it is shown. */
export function useActions(make: () => readonly Action[], inputs: readonly unknown[] = []): void {
  // Before it is painted: a key that is pressed as soon as the screen is there does what it is for.
  useLayoutEffect(() => register(make()), inputs)
}

/** Returns the action of an id. */
export function actionOf(id: string): Action | undefined {
  return actions.value.find(action => action.id === id)
}

/** Whether an action can be done with what is chosen. */
export function isShown(action: Action, context: Context): boolean {
  return action.isShown?.(context) ?? true
}
