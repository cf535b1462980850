import fastify from 'fastify'
import t from 'tap'
import { isSentByToken, provideTokenGate, tokenGateOf } from '../../lib/guard/token-gate.ts'
import type { OriginRequest } from '../../types/guard.ts'

/** A gate whose kit gives always the same answer. */
function gate(decides: boolean) {
  const hasDecided = (): boolean => decides
  return { decides: async () => decides, hasDecided, challengeOf: () => 'Bearer' }
}

function requestTo(server: object, authorization?: string): OriginRequest {
  return { server, raw: { headers: { authorization } } } as unknown as OriginRequest
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
