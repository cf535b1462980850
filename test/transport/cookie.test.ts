import fc from 'fast-check'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { EncryptedFormat } from '../../lib/format/encrypted.ts'
import type { CookieFormat } from '../../lib/format/format.ts'
import type { IdentifiedRecord } from '../../lib/format/record.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { CookieTransport } from '../../lib/transport/cookie.ts'
import type { ChangeData } from '../../lib/transport/transport.ts'
import { CIPHER, fixedRandom, NOW, OLD_SECRET, RECORD, SECRET } from '../format/samples.ts'
import { anyCharacter } from '../helpers/any-character.ts'

const TOO_LARGE = { code: 'ERR_SESSION_TOO_LARGE', statusCode: 500 }

type Mode = 'signed' | 'encrypted'
const MODES: readonly Mode[] = ['signed', 'encrypted']

function codecOf(mode: Mode, cookieName: string, secrets: readonly Buffer[]): CookieFormat {
  const keys = deriveKeys(secrets, mode)
  return mode === 'signed'
    ? new SignedFormat(keys, cookieName)
    : new EncryptedFormat(keys, cookieName, fixedRandom(), CIPHER)
}

const TIMEOUTS = { idleTimeout: 60, absoluteTimeout: 7200, maxIdleTimeout: 60, maxAbsoluteTimeout: 7200 }

function transportOf(mode: Mode, cookieName = 'session', secrets = [SECRET], now = NOW): CookieTransport {
  const settings = { ...TIMEOUTS, cookieName, clock: () => now * 1000 }
  return new CookieTransport(codecOf(mode, cookieName, secrets), settings, fixedRandom())
}

/** A session whose cookie has exactly so many bytes, name and value, or undefined: base64url leaves out some lengths. */
function envelopeOf(codec: CookieFormat, cookieName: string, bytes: number): IdentifiedRecord | undefined {
  for (let letters = 0; letters < 1600; letters++) {
    const envelope = { ...RECORD, json: JSON.stringify({ small: 1, text: 'ü'.repeat(letters), last: 'xy' }) }
    for (const json of [envelope.json, envelope.json.replace('xy', 'x')]) {
      const size = cookieName.length + codec.measure({ ...envelope, json })
      if (size === bytes) return { ...envelope, json }
    }
  }
  return undefined
}

for (const mode of MODES) {
  t.test(`${mode}: what was sealed opens`, (t) => {
    const transport = transportOf(mode)
    const opened = transport.load(transport.seal(RECORD))
    t.same(opened, { ...RECORD, data: JSON.parse(RECORD.json) })
    t.equal(transport.load('x'), 'malformed')
    t.equal(transport.load(transportOf(mode, 'other').seal(RECORD)), 'bad-signature')
    t.end()
  })

  t.test(`${mode}: a cookie is current if it was sealed with the newest secret in this mode`, (t) => {
    const cookie = transportOf(mode).seal(RECORD)
    const isCurrent = (transport: CookieTransport): boolean => cookie.startsWith(transport.currentPrefix)
    t.equal(isCurrent(transportOf(mode)), true)
    t.equal(isCurrent(transportOf(mode, 'session', [OLD_SECRET, SECRET])), false)
    t.equal(isCurrent(transportOf(mode === 'signed' ? 'encrypted' : 'signed')), false)
    t.end()
  })

  t.test(`${mode}: 4096 bytes are sent and 4097 are refused, counted with the name`, (t) => {
    let [sent, refused] = [0, 0]
    // The length of base64url leaves out every fourth number, so that a longer name is needed for some.
    for (const cookieName of ['s', 'se', 'ses', 'session', '__Host-session']) {
      const codec = codecOf(mode, cookieName, [SECRET])
      const transport = transportOf(mode, cookieName)
      const fitting = envelopeOf(codec, cookieName, 4096)
      if (fitting !== undefined) {
        const cookie = `${cookieName}${transport.seal(fitting)}`
        t.equal(Buffer.byteLength(cookie), 4096)
        sent++
      }
      const larger = envelopeOf(codec, cookieName, 4097)
      if (larger !== undefined) {
        const message = /^The session cookie would have 4097 bytes and browsers keep at most 4096\./
        t.throws(() => transport.seal(larger), { ...TOO_LARGE, message })
        t.equal(transport.measure(larger), 4097)
        refused++
      }
    }
    t.ok(sent >= 2 && refused >= 2, `${sent} and ${refused}`)
    t.end()
  })

  t.test(`${mode}: data of any size are refused with their size`, async (t) => {
    for (const length of [5000, 100_000]) {
      const record = { ...RECORD, json: `{"note":"${'x'.repeat(length)}"}` }
      const transport = transportOf(mode)
      const message = new RegExp(`^The session cookie would have ${transport.measure(record)} bytes `)
      t.throws(() => transport.seal(record), { ...TOO_LARGE, message })
    }
  })

  t.test(`${mode}: the bytes are measured without sealing, for any session and any name`, (t) => {
    const name = fc.stringMatching(/^[a-zA-Z_-]{1,12}$/)
    const ownerId = fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined })
    const data = fc.dictionary(fc.string({ unit: anyCharacter }), fc.jsonValue({ stringUnit: anyCharacter }))
    fc.assert(
      fc.property(name, ownerId, data, fc.boolean(), (cookieName, ownerId, data, permanent) => {
        const transport = transportOf(mode, cookieName)
        const envelope: IdentifiedRecord = { ...RECORD, ownerId, permanent, json: JSON.stringify(data) }
        const measured = transport.measure(envelope)
        if (measured > 4096) return true
        return Buffer.byteLength(cookieName + transport.seal(envelope)) === measured
      }),
      { seed: 13, numRuns: 300, endOnFailure: true }
    )
    t.pass('for 300 sessions')
    t.end()
  })
}

t.test('every length around a block of base64url is measured right', (t) => {
  for (const mode of MODES) {
    const transport = transportOf(mode)
    for (let letters = 0; letters < 20; letters++) {
      const envelope = { ...RECORD, json: JSON.stringify({ a: 'x'.repeat(letters) }) }
      t.equal('session'.length + transport.seal(envelope).length, transport.measure(envelope))
    }
  }
  t.end()
})

t.test(
  'the error says the size and the way out, its cause names the three biggest keys, and neither has values',
  (t) => {
    const json = JSON.stringify({
      tiny: 1,
      cart: 'c'.repeat(900),
      ü: 'ü'.repeat(700),
      note: 'n'.repeat(800),
      b: 'b'.repeat(99)
    })
    const transport = transportOf('signed')
    const size = transport.measure({ ...RECORD, json })
    t.throws(() => transport.seal({ ...RECORD, json }), {
      ...TOO_LARGE,
      name: 'FastifyError',
      message: `The session cookie would have ${size} bytes and browsers keep at most 4096. Keep ids instead of objects, or keep the session on the server: option store. The cause of this error names the largest keys.`,
      cause: { message: 'Largest keys: ü (1407 bytes), cart (909 bytes), note (809 bytes).' }
    })
    t.ok(size > 4096)
    t.end()
  }
)

t.test('an id has 128 bits of randomness and may be shown as it is: it opens nothing', (t) => {
  const transport = transportOf('signed')
  t.equal(transport.idFrom(Buffer.alloc(32)), 'A'.repeat(22))
  const ids = [transport.newId(), transport.newId()]
  t.match(ids[0], /^[\w-]{22}$/)
  t.not(ids[0], ids[1])
  t.equal(transport.handleOf(ids[0] as string), ids[0])
  t.end()
})

t.test('the server has nothing: what was sent is the latest there is, and saving does nothing', (t) => {
  const transport = transportOf('signed')
  t.equal(transport.create(RECORD), 'saved')
  t.equal(transport.latest(RECORD), RECORD)
  t.equal(transport.deleteIfEmpty(RECORD, RECORD), 'copied')
  t.equal(transport.deleteRefused(''), undefined)
  t.same(transport.successorsOf(), [])
  t.equal(transport.needsCookie(), true)
  t.equal(transport.activityUntil(NOW), NOW)
  t.equal(transport.notedIn('', { ...RECORD, data: {} }), RECORD.lastSeenAt)
  t.equal(transport.limit, 4096)
  t.end()
})

t.test('nothing takes the place of a session that has expired while its request ran', (t) => {
  for (const [last, record] of [
    [NOW + 30, RECORD],
    [RECORD.createdAt + 7200, { ...RECORD, lastSeenAt: RECORD.createdAt + 7200 }]
  ] as const) {
    const [inTime, late] = [last, last + 1].map((now) => transportOf('signed', 'session', [SECRET], now))
    for (const method of ['update', 'changeId', 'replace'] as const) {
      t.equal(inTime?.[method](record, record), 'saved')
      t.equal(late?.[method](record, record), 'gone')
    }
    t.equal(inTime?.retire(record), 'copied')
    t.equal(late?.retire(record), 'gone')
  }
  t.end()
})

t.test('a session is loaded when it is accessed, not when its request starts', (t) => {
  const transport = transportOf('signed')
  const request = {} as FastifyRequest
  const load = (asked: FastifyRequest): boolean => asked === request
  t.equal(transport.loadAtStart(), undefined)
  t.equal(transport.loadAtAccess(load, request), true)
  t.equal(transport.loadAtEnd(load, request, true), true)
  t.equal(transport.loadAtEnd(load, request, false), undefined)
  t.end()
})

t.test('there is nothing to close', (t) => {
  const transport = transportOf('signed')
  transport.close()
  t.equal(transport.load(transport.seal(RECORD)) instanceof Object, true)
  t.end()
})

t.test('deleting says that a copy of the cookie opens the session all the same', (t) => {
  const transport = transportOf('signed')
  const cookie = transport.seal(RECORD)
  t.equal(transport.delete(RECORD, 'destroyed'), 'copied')
  t.type(transport.load(cookie), 'object')
  t.end()
})

t.test('it tells of each session that ends in this process, and why', (t) => {
  const told: string[] = []
  let now = NOW
  const settings = { ...TIMEOUTS, cookieName: 'session', clock: () => now * 1000 }
  const format = codecOf('signed', 'session', [SECRET])
  const transport = new CookieTransport(format, settings, fixedRandom(), ({ handle, reason, ownerId, successor }) =>
    told.push([handle, reason, ownerId, successor].join(' '))
  )
  const old = { ...RECORD, id: 'old', ownerId: 'ana', lastSeenAt: NOW, createdAt: NOW }
  const next = { ...old, id: 'new' }
  transport.update(next, old)
  transport.changeId(next, old)
  transport.changeId({ ...next, ownerId: 'ben' }, old)
  transport.changeId({ ...next, ownerId: undefined }, { ...old, ownerId: undefined })
  transport.replace(next, old)
  transport.retire(old)
  transport.deleteIfEmpty(next, old)
  transport.delete(old, 'login-ended')
  t.same(told.splice(0), [
    'old renewed ana new',
    'old replaced ana ',
    'old replaced  ',
    'old replaced ana ',
    'old replaced ana ',
    'old emptied ana ',
    'old login-ended ana '
  ])
  now += 61
  t.same([transport.changeId(next, old), transport.replace(next, old), transport.retire(old)], ['gone', 'gone', 'gone'])
  t.same(told, [], 'it had ended before')
  t.equal(transport.lookUp('old', 'ana'), undefined)
  t.end()
})

t.test('a transaction runs on the data of the request, at once where its change does not wait', async (t) => {
  const transport = transportOf('signed')
  const transact = (change: ChangeData) =>
    transport.transact({ persisted: RECORD, json: '{"visits":1}', hasNewId: true, save: t.fail as never, change })
  const count = (data: Record<string, unknown>): void => {
    data.visits = Number(data.visits) + 1
  }
  t.same(transact(count), { data: { visits: 2 } })
  const later = transact(async (data) => {
    await Promise.resolve()
    count(data)
  })
  t.type(later, Promise)
  t.same(await later, { data: { visits: 2 } })
  t.throws(
    () =>
      transact(() => {
        throw new Error('no')
      }),
    { message: 'no' }
  )
})
