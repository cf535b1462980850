import t from 'tap'
import type { SessionKey } from '../../lib/crypto/keys.ts'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import type { CookieFormat } from '../../lib/format/format.ts'
import { createVectors, secretBytes } from '../vectors/generate.ts'
import { NOW, RECORD, readVectors, SECRET } from './samples.ts'
import { CHARACTERS, replaceEach, tamper } from './tamper.ts'

const JUDGED_BY_THE_CLOCK = ['not-yet-valid', 'expired-idle', 'expired-absolute']

/** What a format has to withstand, whichever it is. */
export interface Target {
  readonly mode: 'signed' | 'encrypted'
  /** A cookie of `RECORD`, named `session`. */
  readonly cookie: string
  create(keys: SessionKey[], cookieName: string): CookieFormat
  /** Whether a cookie with another character at a position is refused for the right reason. */
  isExpected(at: number, reason: unknown, text: string): boolean
}

/** The tests that all formats have in common. */
export function testAttacks({ mode, cookie, create, isExpected }: Target): void {
  const formatOf = (secrets: Buffer[] = [SECRET], cookieName = 'session'): CookieFormat =>
    create(deriveKeys(secrets, mode), cookieName)

  t.test('the committed vectors are the ones that the generator makes', (t) => {
    t.same(readVectors(mode), createVectors(mode))
    t.end()
  })

  t.test('no invalid vector opens, and each has its reason', (t) => {
    for (const { name, cookieName, secrets, cookie, reason } of readVectors(mode).invalid) {
      const opened = formatOf(secrets.map(secretBytes), cookieName).decode(cookie)
      if (JUDGED_BY_THE_CLOCK.includes(reason)) t.type(opened, 'object', `${name}: for the manager to judge`)
      else t.equal(opened, reason, name)
    }
    t.end()
  })

  t.test('no character of a cookie can be another one', (t) => {
    const format = formatOf()
    const surprises: unknown[] = []
    let count = 0
    for (const { at, how, text } of replaceEach(cookie)) {
      const opened = format.decode(text)
      if (!isExpected(at, opened, text)) surprises.push([how, opened])
      count++
    }
    t.same(surprises, [])
    t.equal(count, cookie.length * (CHARACTERS.length - 1))
    t.end()
  })

  t.test('a cookie has one spelling, also beyond the characters that a header can carry', (t) => {
    const format = formatOf()
    const opened: number[] = []
    for (let at = 0; at < cookie.length; at++) {
      const wide = String.fromCharCode(cookie.charCodeAt(at) + 256)
      if (typeof format.decode(cookie.slice(0, at) + wide + cookie.slice(at + 1)) === 'object') opened.push(at)
    }
    t.same(opened, [])
    t.end()
  })

  t.test('a cookie that was cut, joined, respelled, quoted or mixed with another one does not open', (t) => {
    const format = formatOf()
    const stranger = format.encode({ ...RECORD, ownerId: 'mallory', lastSeenAt: NOW })
    const opened: string[] = []
    let count = 0
    for (const { how, text } of tamper(cookie, stranger)) {
      if (text !== stranger && typeof format.decode(text) === 'object') opened.push(how)
      count++
    }
    t.same(opened, [])
    t.ok(count > 25 * cookie.length, `${count} changed cookies`)
    t.end()
  })
}
