import type { JSX } from 'preact'

const line = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-linecap': 'round' } as const

const shapes = {
  // Two open doors, one behind the other: as on the pages of the proxy.
  logo: (
    <>
      <path class="door-1" d="M1 3.5A2.5 2.5 0 0 1 3.5 1h5v2h-5a.5.5 0 0 0-.5.5v5H1z" />
      <path
        class="door-2"
        d="M5 6.5A1.5 1.5 0 0 1 6.5 5h7A1.5 1.5 0 0 1 15 6.5v7a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 5 13.5z"
      />
    </>
  ),
  bell: <path {...line} d="M4 11V7a4 4 0 0 1 8 0v4l1 1H3zM7 14h2" />,
  auto: (
    <>
      <circle {...line} cx="8" cy="8" r="5.5" />
      <path fill="currentColor" d="M8 2.5a5.5 5.5 0 0 1 0 11z" />
    </>
  ),
  light: (
    <>
      <circle {...line} cx="8" cy="8" r="2.8" />
      <path
        {...line}
        d="M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9"
      />
    </>
  ),
  dark: <path {...line} d="M13.2 9.6A5.5 5.5 0 0 1 6.4 2.8a5.5 5.5 0 1 0 6.8 6.8z" />,
  restart: <path {...line} d="M12.6 5.2A5.3 5.3 0 1 0 13.3 8M13 2.2v3.2H9.8" />,
  stop: <rect {...line} x="4" y="4" width="8" height="8" rx="1" />,
  start: <path {...line} stroke-linejoin="round" d="M5 3.5v9l7-4.5z" />,
  more: (
    <>
      <circle cx="3.5" cy="8" r="1.2" fill="currentColor" />
      <circle cx="8" cy="8" r="1.2" fill="currentColor" />
      <circle cx="12.5" cy="8" r="1.2" fill="currentColor" />
    </>
  ),
  logs: <path {...line} d="M3 4h10M3 8h7M3 12h9" />,
  open: <path {...line} d="M9.5 2.5h4v4M13 3 7.5 8.5M11.5 9.5v3.5h-8.5v-8.5h3.5" />,
  copy: <path {...line} d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />,
  find: <path {...line} d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.5 10.5l3 3" />,
  close: <path {...line} d="m4 4 8 8M12 4l-8 8" />,
} as const satisfies Readonly<Record<string, JSX.Element>>

export type IconName = keyof typeof shapes

/** An icon of 16 px; the words for it are its parent's. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  )
}
