import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { Authorization } from '../../lib/login/authorization.ts'
import type { Kit } from '../../lib/login/kit.ts'
import { resolveLoginOptions } from '../../lib/login/options.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import type { LoginOptions, User } from '../../types/login.ts'
import { START } from '../helpers/app.ts'
import { ANA, BEN } from '../helpers/login-app.ts'
import { bearer, createTokens, OF_PROXY } from '../helpers/tokens.ts'

function create(headers: object, options: Partial<LoginOptions> = {}) {
  const clock = new FakeClock(START)
  const tokens = createTokens()
  const aside: unknown[] = []
  const settings = resolveLoginOptions(
    { loadUser: () => ANA, authenticate: tokens.authenticate, ...options } as LoginOptions,
    clock.now
  )
  const request = { headers } as FastifyRequest
  const kit = { settings, freshness: 1, setAside: (one: unknown) => void aside.push(one) } as unknown as Kit
  return { ...tokens, clock, aside, request, authorization: new Authorization(kit, request) }
}

t.test('a header that names a user decides, and the session is set aside once', async (t) => {
  const { authorization, asked, aside, request } = create(bearer('ana'))
  t.equal(authorization.mayDecide, true)
  t.equal(authorization.hasDecided, false)
  t.equal(authorization.userId, undefined)
  t.equal(await authorization.decides(), true)
  t.equal(await authorization.decides(), true)
  t.equal(await authorization.take(), ANA, 'what was asked for already is taken')
  t.equal(authorization.hasDecided, true)
  t.equal(authorization.userId, '1')
  t.equal(asked.length, 1)
  t.equal(await authorization.take(), ANA)
  t.equal(asked.length, 2, 'who looks again gets a new answer')
  t.same(aside, [request])
})

t.test('calls at the same time share one answer', async (t) => {
  const { authorization, asked } = create(bearer('ana'))
  t.same(await Promise.all([authorization.decides(), authorization.take(), authorization.decides()]), [true, ANA, true])
  t.equal(asked.length, 1)
})

t.test('an answer that nobody has taken gets too old', async (t) => {
  const { authorization, clock, users } = create(bearer('ana'))
  t.equal(await authorization.decides(), true)
  users.delete('ana')
  clock.advance(1)
  t.equal(await authorization.take(), ANA)
  const late = create(bearer('ana'))
  t.equal(await late.authorization.decides(), true)
  late.users.delete('ana')
  late.clock.advance(2)
  t.equal(await late.authorization.take(), null)
  t.equal(late.authorization.userId, undefined)
})

t.test('a token that is not valid names nobody, and decides all the same', async (t) => {
  const { authorization, aside } = create(bearer('stolen'))
  t.equal(await authorization.take(), null)
  t.equal(authorization.hasDecided, true)
  t.equal(authorization.userId, undefined)
  t.equal(aside.length, 1)
})

t.test('a header of others leaves it to the session for the whole request', async (t) => {
  const { authorization, asked, aside } = create(OF_PROXY)
  t.equal(authorization.mayDecide, true)
  t.equal(await authorization.take(), undefined)
  t.equal(authorization.mayDecide, false)
  t.equal(await authorization.decides(), false)
  t.equal(await authorization.take(), undefined)
  t.equal(asked.length, 1)
  t.same(aside, [])
})

t.test('once a header has decided, it never leaves it to the session, which is set aside', async (t) => {
  const answers = [ANA, undefined, BEN]
  const { authorization } = create(bearer('any'), { authenticate: () => answers.shift() })
  t.equal(await authorization.take(), ANA)
  t.equal(await authorization.take(), null)
  t.equal(await authorization.take(), BEN)
  t.equal(authorization.userId, '2')
})

t.test('of two answers at once the first decides, and the other names nobody', async (t) => {
  const resolvers: ((user: User | undefined) => void)[] = []
  const authenticate = () => new Promise<User | undefined>((resolve) => void resolvers.push(resolve))
  const { authorization, clock } = create(bearer('any'), { authenticate })
  const first = authorization.decides()
  clock.advance(2)
  const second = authorization.take()
  resolvers[0]?.(undefined)
  t.equal(await first, false)
  resolvers[1]?.(ANA)
  t.equal(await second, undefined)
  t.equal(authorization.userId, undefined)
})

t.test('without the header or the option nothing is asked', async (t) => {
  for (const { authorization, asked } of [create({}), create(bearer('ana'), { authenticate: undefined })]) {
    t.equal(authorization.mayDecide, false)
    t.equal(await authorization.decides(), false)
    t.equal(await authorization.take(), undefined)
    t.same(asked, [])
  }
  const { authorization } = create({ authorization: '' })
  t.equal(await authorization.decides(), false, 'an empty header is one of others here')
})

t.test('an error decides nothing, and the next call asks again', async (t) => {
  const { authorization, asked, aside } = create(bearer('down'))
  await t.rejects(authorization.decides(), { message: /is down/ })
  await t.rejects(authorization.take(), { message: /is down/ })
  t.equal(authorization.mayDecide, true)
  t.equal(authorization.hasDecided, false)
  t.same(aside, [])
  t.equal(asked.length, 2)
})

t.test('what is no user, or has no id, fails', async (t) => {
  for (const answer of [true, false, 0, '', 'ana', [ANA], { name: 'without id' }]) {
    const { authorization, aside } = create(bearer('ana'), { authenticate: () => answer as never })
    await t.rejects(authorization.take(), { code: 'ERR_SESSION_VALUE' }, JSON.stringify(answer))
    t.equal(authorization.hasDecided, false)
    t.same(aside, [])
  }
})

t.test('the challenge says of a token that it is not valid', async (t) => {
  for (const [challenge, refused] of [
    [undefined, 'Bearer error="invalid_token"'],
    ['Bearer realm="shop"', 'Bearer realm="shop", error="invalid_token"'],
    ['DPoP algs="ES256"', 'DPoP algs="ES256", error="invalid_token"'],
    ['Basic realm="shop"', 'Basic realm="shop"']
  ] as const) {
    const { authorization } = create(bearer('stolen'), { challenge })
    t.equal(authorization.challenge, challenge ?? 'Bearer')
    await authorization.decides()
    t.equal(authorization.challenge, refused)
  }
  const { authorization } = create(OF_PROXY)
  await authorization.decides()
  t.equal(authorization.challenge, 'Bearer')
})
