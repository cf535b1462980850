import fastify from 'fastify'
import t from 'tap'
import { authorizationOf, isSentByToken, provideTokenGate, tokenGateOf } from '../../lib/guard/token-gate.ts'
import type { OriginRequest } from '../../types/guard.ts'

/** A gate whose kit gives always the same answer. */
function gate(decides: boolean) {
  const hasDecided = (): boolean => decides
  return { decides: async () => decides, hasDecided, challengeOf: () => 'Bearer' }
}

function requestTo(server: object, authorization?: string): OriginRequest {
  const rawHeaders = ['Host', 'authorization', ...(authorization === undefined ? [] : ['Authorization', authorization])]
  return { server, headers: { authorization }, raw: { rawHeaders } } as unknown as OriginRequest
}

t.test('a gate is found in its scope and in those within', async (t) => {
  const app = fastify()
  const [outer, inner] = [gate(true), gate(true)]
  await app.register(async (scope) => {
    provideTokenGate(scope, 'admin', inner)
    // A kit may come to an outer scope later.
    provideTokenGate(app, 'session', outer)
    t.equal(tokenGateOf(requestTo(scope), 'admin'), inner)
    t.equal(tokenGateOf(requestTo(scope), 'session'), outer)
    await scope.register(async (innermost) => t.equal(tokenGateOf(requestTo(innermost), 'admin'), inner))
  })
  t.equal(tokenGateOf(requestTo(app), 'session'), outer)
  t.equal(tokenGateOf(requestTo(app), 'admin'), undefined)
  t.equal(tokenGateOf({}, 'session'), undefined)
})

t.test('a request is sent by a token if all kits say so, and no browser sends that by itself', async (t) => {
  const [yes, no] = [gate(true), gate(false)]
  for (const [gates, authorization, expected] of [
    [[yes], 'Bearer t', true],
    [[yes], 'bearer t', true],
    [[yes], 'Negotiator t', true],
    [[yes], 't', true],
    [[yes], undefined, false],
    [[yes], 'Basic dDp0', false],
    [[yes], 'basic dDp0', false],
    [[yes], 'Digest username="t"', false],
    [[yes], 'Negotiate YII', false],
    [[yes], 'NTLM TlRM', false],
    [[no], 'Bearer t', false],
    [[yes, yes], 'Bearer t', true],
    [[yes, no], 'Bearer t', false],
    [[yes, undefined], 'Bearer t', false],
    [[undefined], 'Bearer t', false],
    [[], 'Bearer t', false]
  ] as const) {
    const app = fastify()
    for (const [index, one] of gates.entries()) provideTokenGate(app, `session${index}`, one)
    t.equal(await isSentByToken(requestTo(app, authorization)), expected, `${authorization} ${gates.length}`)
  }
})

t.test('a header that a hook has set was not sent by a client', async (t) => {
  const app = fastify()
  provideTokenGate(app, 'session', gate(true))
  const sent = requestTo(app, 'Bearer t')
  t.equal(await isSentByToken(sent), true)
  for (const authorization of ['Bearer of-a-cookie', undefined])
    t.equal(await isSentByToken({ ...sent, headers: { authorization } } as OriginRequest), false)
  const { raw } = requestTo(app)
  t.equal(await isSentByToken({ ...sent, raw } as OriginRequest), false)
  t.equal(authorizationOf(sent), 'Bearer t')
  t.equal(authorizationOf({}), undefined)
})
