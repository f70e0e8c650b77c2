import { useEffect, useRef } from 'preact/hooks'
import type { Model } from './model.ts'

/** px */
const width = 8

/** Where the hits are, beside the scroll bar. The hits are walked by keys; this is for the eye, and the mouse. */
export function Minimap({ model }: { readonly model: Model }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const version = model.version.value
  const { hits } = model.view
  useEffect(() => {
    if (canvas.current !== null) draw(canvas.current, model)
  }, [version, hits.length])
  if (hits.length === 0) return null
  const onClick = (event: MouseEvent): void => {
    const { clientHeight } = event.currentTarget instanceof HTMLElement ? event.currentTarget : { clientHeight: 1 }
    const place = Math.floor((event.offsetY / clientHeight) * model.view.size)
    model.setFollowing(false)
    model.target.value = model.view.numberAt(place)
  }
  return <canvas class="minimap" ref={canvas} width={width} aria-hidden="true" onClick={onClick} />
}

function draw(canvas: HTMLCanvasElement, { view }: Model): void {
  const { clientHeight } = canvas
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
