import './style.css'

/** Shows the screen `graph`. */
export default function Graph() {
  return <section class="graph" aria-label="Graph" />
}
