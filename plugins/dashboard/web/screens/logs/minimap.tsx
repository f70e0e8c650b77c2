import { useEffect, useRef } from 'preact/hooks'
import type { Model } from './model.ts'

/** px */
const width = 8

/** Where the hits are, beside the scroll bar. Keys walk the hits; this is for the eye. */
export function Minimap({ model }: { readonly model: Model }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const version = model.version.value
  const { hits } = model.view
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, model)
  }, [version, hits.length])
  if (hits.length === 0) return null
  return (
    <div class="minimap" aria-hidden="true">
      <canvas ref={canvas} width={width} />
    </div>
  )
}

function draw(canvas: HTMLCanvasElement, { view }: Model): void {
  const clientHeight = canvas.parentElement?.clientHeight ?? 0
  if (canvas.height !== clientHeight) canvas.height = clientHeight
  const context = canvas.getContext('2d')
  if (context === null || view.size === 0) return
  context.clearRect(0, 0, width, clientHeight)
  context.fillStyle = getComputedStyle(canvas).color
  let last = -1
  for (const number of view.hits) {
    const y = Math.floor((view.placeOf(number) / view.size) * clientHeight)
    if (y !== last) context.fillRect(0, y, width, 2)
    last = y
  }
}
