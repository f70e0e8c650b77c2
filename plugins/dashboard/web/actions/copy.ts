import { notify, notifyError } from '../state/notices.ts'

/** Copies text to the clipboard and says what was copied. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    notify({ kind: 'done', text: `Copied ${what}` })
  } catch (error) {
    notifyError(error)
  }
}
