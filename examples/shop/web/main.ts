import { render } from 'lit-html'
import { buy, listen, type Shop } from './shop.ts'
import { view } from './view.ts'

let draw = view
let shop: Shop | undefined
let isConnected = false

function show(): void {
  const page = document.getElementById('shop')
  if (page === null || shop === undefined) return
  document.title = shop.name
  render(draw(shop, isConnected, buy), page)
}

listen(
  now => {
    shop = now
    show()
  },
  is => {
    isConnected = is
    show()
  },
)

// A changed view is drawn in place: no reload, the page keeps its connection.
import.meta.hot?.accept('./view.ts', changed => {
  if (changed === undefined) return
  draw = changed['view']
  show()
})
