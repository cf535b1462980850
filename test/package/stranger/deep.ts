// There is one door. See `wantedErrors` in types/test/compile.mjs for the marks.
import type {} from 'fastify-typed-session'
import type {} from 'fastify-typed-session/dist/lib/request/session.js' //! 2307
import type {} from 'fastify-typed-session/dist/types/index.js' //! 2307
import type {} from 'fastify-typed-session/lib/request/session.ts' //! 2307
import type {} from 'fastify-typed-session/types' //! 2307
