import { html, type TemplateResult } from 'lit-html'
import type { Order, Product, Shop } from './shop.ts'

const headline = 'Tableware from a small kiln'

/** The whole page. */
export function view(shop: Shop, isConnected: boolean, buy: (product: Product) => void): TemplateResult {
  const price = new Intl.NumberFormat('en', { style: 'currency', currency: shop.currency })
  return html`
    <header>
      <a class="brand" href="/">${shop.name}</a>
      <span class=${isConnected ? 'live' : 'live away'}>${isConnected ? 'live' : 'connecting'}</span>
    </header>
    <main>
      <section class="intro">
        <h1>${headline}</h1>
        <p>Six pieces, thrown and glazed by hand, made for every day.</p>
      </section>
      <section class="products" aria-label="Products">
        ${shop.products.map(product => card(product, price.format(product.price / 100), () => buy(product)))}
      </section>
      <section class="orders" aria-label="Orders">
        <h2>Orders</h2>
        ${
          shop.orders.length === 0
            ? html`<p>None yet. What you buy is packed by the worker.</p>`
            : html`<ol>${shop.orders.map(line)}</ol>`
        }
      </section>
    </main>
    <footer>
      <span>This page: <b>web</b>, Vite</span>
      <span>Products: <b>api</b>, Fastify</span>
      <span>Stock: <b>stock</b>, Python</span>
      <span>Packing: <b>orders</b>, a worker</span>
    </footer>
  `
}

function card({ id, name, about, tint, left }: Product, price: string, buy: () => void): TemplateResult {
  const isOut = left === 0
  return html`
    <article class="card" data-product=${id}>
      <div class="art ${tint}"><img src="/art/${id}.svg" alt="" width="200" height="160" /></div>
      <div class="text">
        <h3>${name}</h3>
        <span class="price">${price}</span>
        <p>${about}</p>
        <span class=${left < 5 ? 'left few' : 'left'}>${isOut ? 'Sold out' : `${left} left`}</span>
        <button type="button" ?disabled=${isOut} @click=${buy} aria-label="Buy ${name}">Buy</button>
      </div>
    </article>
  `
}

function line({ id, product, packed }: Order): TemplateResult {
  return html`
    <li class=${packed ? 'packed' : ''}>
      <span class="number">#${id}</span> ${product} <span class="state">${packed ? 'packed' : 'being packed'}</span>
    </li>
  `
}
