import type { FastifyRequest } from 'fastify'
import { getSession, type Session, type SessionData } from 'fastify-typed-session'
import { same } from '../expect.ts'
import type { User } from './user.ts'

declare const request: FastifyRequest

same<keyof SessionData, 'cart' | 'user' | 'shared' | 'theme'>(true)
same<Session['cart'], Record<string, number> | undefined>(true)
same<typeof request.session.user, User | undefined>(true)
same<typeof request.session.theme, 'dark' | 'light' | undefined>(true)
const { shared } = getSession(request)
same<typeof shared, string | undefined>(true)
