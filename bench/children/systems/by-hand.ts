import cookie from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from '../accounts.ts'
import type { Start } from '../server.ts'
import { handlersOf, serve } from './fastify.ts'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './settings.ts'

const SET_OPTIONS = { ...COOKIE_ATTRIBUTES, signed: true }

function load(request: FastifyRequest): Account | undefined {
  const text = request.cookies[COOKIE_NAME]
  if (text === undefined) return undefined
  const { valid, value } = request.unsignCookie(text)
  return valid ? JSON.parse(Buffer.from(value, 'base64url').toString()) : undefined
}

function save(reply: FastifyReply, account: Account): void {
  reply.setCookie(COOKIE_NAME, Buffer.from(JSON.stringify(account)).toString('base64url'), SET_OPTIONS)
}

/** Sessions without a plugin: JSON in a cookie that `@fastify/cookie` signs. No expiry, no key rotation. */
export const start: Start = (accounts) =>
  serve(accounts, (app) => app.register(cookie, { secret: SECRET }), handlersOf(load, save))
