import type { ComponentChildren } from 'preact'
import { CopyButton } from './copy-button.tsx'

interface Props {
  readonly title: string
  /** The command that fills the screen. */
  readonly command?: string
  readonly children?: ComponentChildren
}

/** What a screen shows that has nothing to show: one command that changes it. */
export function Empty({ title, command, children }: Props) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {command !== undefined && <CopyButton text={command} what="the command" />}
      {children}
    </div>
  )
}
