/** Where the pages of `docs/` are read. Messages lead there: `${SITE}/session#reserved-names`. */
export const SITE = 'https://OWNER.github.io/fastify-typed-session'
