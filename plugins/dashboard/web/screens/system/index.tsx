import './style.css'

/** Shows the screen `system`. */
export default function System() {
  return <section class="system" aria-label="System" />
}
