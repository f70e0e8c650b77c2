import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ServiceRow } from './service-row.tsx'

/** Pieces this far from what is visible are rendered, too: px. */
const margin = 600
/** As in the style sheet, px. */
const rowHeight = 32

/** Rows of some services; what is far from the visible part of the table is only space. */
export function LazyRows({ ids }: { readonly ids: readonly string[] }) {
  const body = useRef<HTMLTableSectionElement>(null)
  const isNear = useSignal(false)
  useEffect(() => {
    const element = body.current
    if (element === null) return
    const root = element.closest('.services')
    const observer = new IntersectionObserver(
      entries => {
        const last = entries.at(-1)
        if (last !== undefined) isNear.value = last.isIntersecting || element.contains(document.activeElement)
      },
      { root, rootMargin: `${margin}px` },
    )
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return (
    <tbody ref={body}>
      {isNear.value ? (
        ids.map(id => <ServiceRow key={id} id={id} />)
      ) : (
        <tr>
          <td class="space" colSpan={9} style={{ height: `${ids.length * rowHeight}px` }} />
        </tr>
      )}
    </tbody>
  )
}
