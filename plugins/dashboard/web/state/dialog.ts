/** The one question that is asked at a time, in a dialog. */
import { type Signal, signal } from '@preact/signals'
import type { CommandArgumentView } from '../../../../kernel/protocol.ts'

/** The arguments of a command, and what is filled in as texts. */
export interface Form {
  readonly args: readonly CommandArgumentView[]
  readonly values: Signal<Readonly<Record<string, string>>>
}

/** A question before something that cannot be undone, or a choice. */
export interface Question {
  readonly title: string
  /** What will be lost, or what to choose. */
  readonly text: string
  /** The words of the CLI for the same, with what is typed. */
  readonly cli?: string | ((typed: string) => string) | undefined
  /** A verb, on the button. */
  readonly yes: string
  readonly isDangerous?: boolean
  /** A text is to be typed. */
  readonly field?: { readonly label: string; readonly placeholder: string }
  /** Arguments are to be filled in: the caller reads its values. */
  readonly form?: Form
  /** One of these is to be chosen; the first is proposed. */
  readonly choices?: readonly { readonly value: string; readonly text: string }[]
}

interface Open extends Question {
  answer(value: string | undefined): void
}

/** The open question. */
export const question = signal<Open | undefined>(undefined)

/** Asks; the result is the chosen value or the typed text (`yes` without both), undefined where the user declines. */
export function ask(asked: Question): Promise<string | undefined> {
  question.value?.answer(undefined)
  return new Promise(resolve => {
    question.value = {
      ...asked,
      answer: value => {
        question.value = undefined
        resolve(value)
      },
    }
  })
}
