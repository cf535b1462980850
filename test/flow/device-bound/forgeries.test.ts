import { createHmac, createPublicKey, sign } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { MODES } from '../../helpers/app.ts'
import { createDeviceApp, deviceEventsOf } from '../../helpers/device-app.ts'
import type { DeviceKeys } from '../../helpers/device-browser.ts'
import {
  challengeIn,
  createKeys,
  DeviceBrowser,
  offerIn,
  refreshToken,
  registrationToken,
  signToken
} from '../../helpers/device-browser.ts'

const encode = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

const OWN = createKeys()
const OTHER = createKeys()
const RSA = createKeys('RS256')
const TYPE = 'dbsc+jwt'

/** What a forger has: an own key, the challenge, and the keys that browsers have. */
interface Circumstances {
  readonly challenge: string
  /** The key to be registered, or the key of the browser. */
  readonly keys: DeviceKeys
}

type Forgery = (circumstances: Circumstances) => string

const jwkOf = ({ publicKey }: DeviceKeys): object => publicKey.export({ format: 'jwk' })

function withPart(token: string, index: number, change: (part: string) => string): string {
  const parts = token.split('.')
  parts[index] = change(parts[index] ?? '')
  return parts.join('.')
}

/** Signs what `header` and `payload` say as base64url. */
function signParts(
  { privateKey }: DeviceKeys,
  header: string,
  payload: string,
  dsaEncoding: 'der' | 'ieee-p1363'
): string {
  const signed = `${header}.${payload}`
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding }).toString('base64url')}`
}

/** Tokens of any kind that are none. */
const TOKENS: Readonly<Record<string, Forgery>> = {
  'an empty header': () => '',
  'no token': () => 'hello',
  'one dot': () => 'a.b',
  'three dots': ({ keys, challenge }) => `${refreshToken(keys, challenge)}.a`,
  'empty parts': () => '..',
  'not JSON': ({ keys }) => signParts(keys, encode('not json'), encode('not json'), 'ieee-p1363'),
  'a header that is null': ({ keys, challenge }) =>
    signParts(keys, encode('null'), encode({ jti: challenge }), 'ieee-p1363'),
  'a header that is an array': ({ keys, challenge }) =>
    signParts(keys, encode('[]'), encode({ jti: challenge }), 'ieee-p1363'),
  'a payload that is a text': ({ keys, challenge }) =>
    signParts(
      keys,
      encode({ alg: 'ES256', typ: TYPE, jwk: jwkOf(keys) }),
      encode(JSON.stringify(challenge)),
      'ieee-p1363'
    ),
  'no algorithm': ({ keys, challenge }) => signToken(keys, { typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge }),
  'the algorithm none, signed': ({ keys, challenge }) =>
    signToken(keys, { alg: 'none', typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge }),
  'the algorithm none, not signed': ({ keys, challenge }) =>
    `${encode({ alg: 'none', typ: TYPE, jwk: jwkOf(keys) })}.${encode({ jti: challenge })}.`,
  'an algorithm in small letters': ({ keys, challenge }) =>
    signToken(keys, { alg: 'es256', typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge }),
  'the algorithm ES384': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES384', typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge }),
  'the algorithm PS256': ({ keys, challenge }) =>
    signToken(keys, { alg: 'PS256', typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge }),
  'the name of the other algorithm': ({ keys, challenge }) =>
    signToken(keys, { alg: 'RS256', typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge }),
  'the algorithm as an array': ({ keys, challenge }) =>
    signToken(keys, { alg: ['ES256'], typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge }),
  'HS256 with the public key as the secret': ({ keys, challenge }) => {
    const signed = `${encode({ alg: 'HS256', typ: TYPE, jwk: jwkOf(keys) })}.${encode({ jti: challenge })}`
    const secret = createPublicKey(keys.publicKey.export({ type: 'spki', format: 'pem' })).export({
      type: 'spki',
      format: 'pem'
    })
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  },
  'no type': ({ keys, challenge }) => signToken(keys, { alg: 'ES256', jwk: jwkOf(keys) }, { jti: challenge }),
  'the type JWT': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: 'JWT', jwk: jwkOf(keys) }, { jti: challenge }),
  'a type in capital letters': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: 'DBSC+JWT', jwk: jwkOf(keys) }, { jti: challenge }),
  'a critical header': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: TYPE, jwk: jwkOf(keys), crit: ['b64'], b64: false }, { jti: challenge }),
  'no challenge': ({ keys }) => signToken(keys, { alg: 'ES256', typ: TYPE, jwk: jwkOf(keys) }, {}),
  'an empty challenge': ({ keys }) => signToken(keys, { alg: 'ES256', typ: TYPE, jwk: jwkOf(keys) }, { jti: '' }),
  'the challenge in an array': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: TYPE, jwk: jwkOf(keys) }, { jti: [challenge] }),
  'a challenge of its own': ({ keys }) => registrationToken(keys, 'a challenge'),
  'a challenge with another nonce': ({ keys, challenge }) =>
    registrationToken(keys, `${challenge.slice(0, 20)}${challenge[20] === 'A' ? 'B' : 'A'}${challenge.slice(21)}`),
  'a challenge that is younger': ({ keys, challenge }) =>
    registrationToken(keys, challenge.replace(/^(.{8})\d{10}/, '$11763640001')),
  'a challenge with a space': ({ keys, challenge }) => registrationToken(keys, `${challenge} `),
  'half of a challenge': ({ keys, challenge }) => registrationToken(keys, challenge.slice(0, -1)),
  'a challenge with another key id': ({ keys, challenge }) =>
    registrationToken(keys, challenge.replace(/^(..).{6}/, '$1AAAAAA')),
  'a cookie as the challenge': ({ keys }) => registrationToken(keys, 'd1ikA4zO1763640000.1763640660.'.padEnd(73, 'A')),
  'a signature of nothing': ({ keys, challenge }) => withPart(registrationToken(keys, challenge), 2, () => ''),
  'a signature of zeros': ({ keys, challenge }) =>
    withPart(registrationToken(keys, challenge), 2, () => Buffer.alloc(64).toString('base64url')),
  'a signature in DER': ({ keys, challenge }) =>
    signParts(keys, encode({ alg: 'ES256', typ: TYPE, jwk: jwkOf(keys) }), encode({ jti: challenge }), 'der'),
  'a signature with a byte more': ({ keys, challenge }) =>
    withPart(registrationToken(keys, challenge), 2, (part) => `${part}AA`),
  'a signature with a padding': ({ keys, challenge }) =>
    withPart(registrationToken(keys, challenge), 2, (part) => `${part}==`),
  'a signature in another spelling': ({ keys, challenge }) =>
    withPart(registrationToken(keys, challenge), 2, (part) => part.slice(0, -1) + (part.endsWith('x') ? 'y' : 'x')),
  'a signature of another key': ({ keys, challenge }) =>
    withPart(registrationToken(keys, challenge), 2, () => registrationToken(OTHER, challenge).split('.')[2] ?? ''),
  'a signature of another text': ({ keys, challenge }) =>
    withPart(registrationToken(keys, challenge), 1, () => encode({ jti: challenge, sub: 'another' })),
  'a token of 100,000 characters': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: TYPE, jwk: jwkOf(keys) }, { jti: challenge, padding: 'a'.repeat(8000) }),
  'two tokens': ({ keys, challenge }) => {
    const token = registrationToken(keys, challenge)
    return `${token}, ${token}`
  },
  'a token in a list': ({ keys, challenge }) => `(${registrationToken(keys, challenge)})`,
  'a token in half quotes': ({ keys, challenge }) => `"${registrationToken(keys, challenge)}`,
  'a token as bytes': ({ keys, challenge }) => `:${registrationToken(keys, challenge)}:`
}

/** Keys that no session is bound to. */
const REGISTRATIONS: Readonly<Record<string, Forgery>> = {
  'no key': ({ keys, challenge }) => refreshToken(keys, challenge),
  'the key of somebody else': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: TYPE, jwk: jwkOf(OTHER) }, { jti: challenge }),
  'a point beside the curve': ({ keys, challenge }) => {
    const jwk = { ...jwkOf(keys), y: Buffer.alloc(32, 1).toString('base64url') }
    return signToken(keys, { alg: 'ES256', typ: TYPE, jwk }, { jti: challenge })
  },
  'a point at infinity': ({ keys, challenge }) => {
    const zero = Buffer.alloc(32).toString('base64url')
    return signToken(keys, { alg: 'ES256', typ: TYPE, jwk: { ...jwkOf(keys), x: zero, y: zero } }, { jti: challenge })
  },
  'a coordinate in another spelling': ({ keys, challenge }) => {
    const { x, ...others } = jwkOf(keys) as { x: string }
    return signToken(keys, { alg: 'ES256', typ: TYPE, jwk: { ...others, x: `${x}=` } }, { jti: challenge })
  },
  'another curve': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: TYPE, jwk: { ...jwkOf(keys), crv: 'P-384' } }, { jti: challenge }),
  'a symmetric key': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: TYPE, jwk: { kty: 'oct', k: 'AAAA' } }, { jti: challenge }),
  'an RSA key for ES256': ({ keys, challenge }) =>
    signToken(keys, { alg: 'ES256', typ: TYPE, jwk: jwkOf(RSA) }, { jti: challenge }),
  'an RSA key of 1024 bits': ({ challenge }) => registrationToken(createKeys('RS256', 1024), challenge),
  'an RSA key with another exponent': ({ challenge }) =>
    signToken(RSA, { alg: 'RS256', typ: TYPE, jwk: { ...jwkOf(RSA), e: 'Aw' } }, { jti: challenge })
}

/** Proofs that are not those of the browser. */
const PROOFS: Readonly<Record<string, Forgery>> = {
  'the key of somebody else': ({ challenge }) => refreshToken(OWN, challenge),
  'the key of somebody else, sent along': ({ challenge }) => registrationToken(OWN, challenge),
  'an RSA key, sent along': ({ challenge }) => registrationToken(RSA, challenge)
}

let count = 0

for (const { mode, options } of MODES.slice(0, 3)) {
  t.test(`${mode}: no forged registration binds a session`, async (t) => {
    for (const [name, forge] of Object.entries({ ...TOKENS, ...REGISTRATIONS })) {
      const { app, clock } = await createDeviceApp(options)
      const browser = new DeviceBrowser(app, clock.now)
      browser.isCapable = false
      const { path = '', challenge = '' } = offerIn(await browser.post('/login')) ?? {}
      const header = forge({ challenge, keys: OWN })
      const events = await deviceEventsOf(async () => {
        const reply = await browser.sendAsIs({
          method: 'POST',
          url: path,
          headers: { 'secure-session-response': header }
        })
        t.equal(reply.statusCode, 400, name)
        t.notOk(reply.headers['set-cookie'], name)
      })
      t.match(events, [/^refused: /], name)
      t.notOk((await browser.get('/me')).json().isBound, name)
      count++
    }
  })

  t.test(`${mode}: no forged proof is taken`, async (t) => {
    for (const [name, forge] of Object.entries({ ...TOKENS, ...PROOFS })) {
      const { app, clock } = await createDeviceApp(options)
      const browser = new DeviceBrowser(app, clock.now)
      await browser.post('/login')
      const { challenge = '', keys, identifier, refreshUrl } = browser.session ?? {}
      const before = browser.cookie('session-device')
      const header = forge({ challenge, keys: keys ?? OWN })
      const reply = await browser.sendAsIs({
        method: 'POST',
        url: refreshUrl ?? '',
        headers: { 'sec-secure-session-id': identifier, 'secure-session-response': header }
      })
      t.ok([400, 403].includes(reply.statusCode), `${name}: ${reply.statusCode}`)
      t.equal(browser.cookie('session-device'), before, name)
      count++
    }
  })

  t.test(`${mode}: what was good for something else is good for nothing here`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    const [one, two] = [new DeviceBrowser(app, clock.now), new DeviceBrowser(app, clock.now)]
    one.isCapable = false
    const offer = offerIn(await one.post('/login'))
    await two.post('/login')
    const { challenge = '', keys = OWN, identifier = '', refreshUrl = '' } = two.session ?? {}

    const refuse = async (what: string, reply: Promise<LightMyRequestResponse>): Promise<void> => {
      const { statusCode, headers } = await reply
      t.ok([400, 403].includes(statusCode), `${what}: ${statusCode}`)
      t.notOk(
        [headers['set-cookie']].flat().some((line) => line?.startsWith('session-device=')),
        what
      )
      count++
    }
    const register = (browser: DeviceBrowser, token: string) =>
      browser.sendAsIs({
        method: 'POST',
        url: '/session/device/register',
        headers: { 'secure-session-response': token }
      })
    const refresh = (browser: DeviceBrowser, token: string) =>
      browser.sendAsIs({
        method: 'POST',
        url: refreshUrl,
        headers: { 'sec-secure-session-id': identifier, 'secure-session-response': token }
      })
    await refuse('the offer of another session', register(two, registrationToken(OTHER, offer?.challenge ?? '')))
    await refuse('the challenge of a refresh', register(one, registrationToken(OTHER, challenge)))
    await refuse('a bound session with another key', register(two, registrationToken(OTHER, challenge)))
    await refuse('the proof of another session', refresh(one, refreshToken(keys, challenge)))
    const three = new DeviceBrowser(app, clock.now)
    await three.post('/login')
    await refuse('the challenge of another session', refresh(two, refreshToken(keys, three.session?.challenge ?? '')))
    await refuse('the offer as a challenge', refresh(two, refreshToken(keys, offer?.challenge ?? '')))

    clock.advance(301)
    await refuse('an offer that is too old', register(one, registrationToken(OTHER, offer?.challenge ?? '')))
    await refuse('a challenge that is too old', refresh(two, refreshToken(keys, challenge)))

    const fresh = challengeIn(await two.refreshOnce(undefined)) ?? ''
    t.equal((await refresh(two, refreshToken(keys, fresh))).statusCode, 200)
    if (mode === 'stored') {
      await refuse('a challenge that was answered', refresh(two, refreshToken(keys, fresh)))
    }
  })

  t.test(`${mode}: no changed short cookie is a proof`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    const [browser, other] = [new DeviceBrowser(app, clock.now), new DeviceBrowser(app, clock.now)]
    await browser.post('/login')
    await other.post('/login')
    clock.advance(11)
    const value = browser.cookie('session-device') ?? ''
    const session = browser.cookie('session') ?? ''
    const swap = (at: number, by: string): string => value.slice(0, at) + by + value.slice(at + by.length)
    const forged: Record<string, string> = {
      nothing: '',
      'another end': swap(19, '1999999999'),
      'another time': swap(8, '1999999999'),
      'another key id': swap(2, 'AAAAAA'),
      'another format': swap(0, 's2'),
      'a shorter one': value.slice(0, -1),
      'a longer one': `${value}A`,
      'another signature': swap(value.length - 9, value.at(-9) === 'A' ? 'B' : 'A'),
      'that of another session': other.cookie('session-device') ?? '',
      'the cookie of the session': session,
      'the challenge': browser.session?.challenge ?? '',
      'another key': value.replace(/\.(\d{10})E?[\w-]*\./, `.$1E${'A'.repeat(86)}.`),
      'with the id': `${value.slice(0, -44)}.${session.slice(19, 62)}${value.slice(-44)}`
    }
    for (const [name, text] of Object.entries(forged)) {
      const headers = {
        cookie: `session=${session}; session-device=${text}`,
        host: 'app.test',
        'x-forwarded-proto': 'https'
      }
      t.notOk((await app.inject({ url: '/me', headers })).json().isBound, name)
      count++
    }
    const headers = { cookie: `session-device=nothing; session=${session}; session-device=${value}` }
    t.ok((await app.inject({ url: '/me', headers })).json().isProved, 'the good one is found behind another')
  })
}

t.test('there were many', async (t) => {
  t.ok(count >= 3 * 100, String(count))
})
