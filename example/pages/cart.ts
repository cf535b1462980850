import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { form, page } from '../layout.ts'

const PRODUCTS: Readonly<Record<string, string>> = {
  cards: 'Punched cards, a hundred',
  tape: 'Magnetic tape, a reel',
  valve: 'Vacuum tube, tested'
}

const PRODUCT_FORM = {
  type: 'object',
  properties: { product: { type: 'string', enum: Object.keys(PRODUCTS) } },
  required: ['product']
}

interface ProductRoute {
  Body: { readonly product: string }
}

/** The page with the cart. It needs no login. */
export async function cartPages(app: FastifyInstance): Promise<void> {
  app.get('/cart', async ({ session }, reply) => {
    return page(
      reply,
      'Cart',
      html`<div class="columns">${products(reply)}${cart(reply, session.get('cart', {}))}</div>`
    )
  })

  app.post<ProductRoute>('/cart/add', { schema: { body: PRODUCT_FORM } }, async ({ session, body }, reply) => {
    const cart = session.setDefault('cart', {})
    cart[body.product] = (cart[body.product] ?? 0) + 1
    return reply.redirect(`${app.prefix}/cart`, 303)
  })

  app.post<ProductRoute>('/cart/remove', { schema: { body: PRODUCT_FORM } }, async ({ session, body }, reply) => {
    const cart = session.setDefault('cart', {})
    const left = (cart[body.product] ?? 0) - 1
    if (left > 0) cart[body.product] = left
    else delete cart[body.product]
    return reply.redirect(`${app.prefix}/cart`, 303)
  })
}

function products(reply: FastifyReply): Html {
  const items = Object.entries(PRODUCTS).map(
    ([product, name]) => html`<li><span>${name}</span>
${form(reply, '/cart/add', html`<button name="product" value="${product}" aria-label="Add: ${name}">Add</button>`)}</li>`
  )
  return html`<section class="panel" aria-labelledby="products-heading">
<h2 id="products-heading">Products</h2>
<ul class="rows">${items}</ul>
</section>`
}

function cart(reply: FastifyReply, counts: Readonly<Record<string, number>>): Html {
  const items = Object.entries(counts).map(
    ([product, count]) => html`<li><span>${PRODUCTS[product] ?? product}</span> <strong>${count}</strong>
${form(
  reply,
  '/cart/remove',
  html`<button class="quiet" name="product" value="${product}" aria-label="Remove one: ${PRODUCTS[product] ?? product}">Remove one</button>`
)}</li>`
  )
  return html`<section class="panel" aria-labelledby="cart-heading">
<h2 id="cart-heading">In your cart</h2>
${items.length === 0 ? html`<p>Nothing yet.</p>` : html`<ul class="rows" id="cart">${items}</ul>`}
</section>`
}
