import type { FastifyReply } from 'fastify'
import type { Start } from './fastify.ts'
import { create } from './fastify.ts'

function varies(reply: FastifyReply): string {
  reply.header('vary', 'Cookie')
  return 'user-10000'
}

function variesWithoutStore(reply: FastifyReply): string {
  reply.header('cache-control', 'no-store')
  return varies(reply)
}

/** A server without sessions that sends the headers of this package, which no peer sends, where the package sends them. */
export const start: Start = (circumstances) =>
  create(circumstances, async () => {}, {
    logIn: async (_request, reply) => variesWithoutStore(reply),
    read: async (_request, reply) => varies(reply),
    write: async (_request, reply) => variesWithoutStore(reply),
    show: async () => ({})
  })
