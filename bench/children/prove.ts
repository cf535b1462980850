import assert from 'node:assert/strict'
import type { Browser } from './browser.ts'
import { mergeCookies } from './browser.ts'

interface Shown {
  readonly profile?: { readonly name: string }
  readonly visits?: number
}

/** The sizes of what a system stores. */
export interface Proof {
  readonly cookieBytes: number
  readonly jsonBytes: number
}

/**
 * Throws unless the system works: it must read back what it wrote, keep a later write, and refuse its cookie with one character
 * changed, wherever that is.
 */
export async function prove(system: string, browser: Browser): Promise<Proof> {
  const failure = (what: string): string => `${system} ${what}`
  const login = await browser.ask('login')
  assert.equal(login.status, 200, failure('does not log in'))
  const { cookie } = login
  assert(cookie !== undefined, failure('sets no cookie at login'))

  const before = await show(browser, cookie)
  assert.equal(before.profile?.name, login.body, failure('does not read back what it wrote'))
  assert.equal((await browser.ask('read', cookie)).body, login.body, failure('does not read on /read'))

  const written = await browser.ask('write', cookie)
  const kept = mergeCookies(cookie, written.cookie)
  const after = await show(browser, kept)
  assert.equal(after.visits, (before.visits ?? Number.NaN) + 1, failure('does not keep what was written'))
  assert.deepEqual(after.profile, before.profile, failure('loses what was not written'))

  const forgeries = forge(kept)
  assert(forgeries.length >= 3, failure('has a cookie too short to forge'))
  for (const forged of forgeries) {
    // An error also counts as a refusal: iron-session answers some forgeries with an error.
    const { status, body } = await browser.ask('show', forged)
    const shown: Shown = status === 200 ? JSON.parse(body) : {}
    assert(shown.profile === undefined && shown.visits === undefined, failure(`opens a forged cookie: ${forged}`))
  }
  return { cookieBytes: kept.length, jsonBytes: Buffer.byteLength(JSON.stringify(after)) }
}

/** Returns copies of the cookie with one character changed, at up to ten places, but not in percent-encoded characters. */
function forge(cookie: string): string[] {
  const from = cookie.indexOf('=') + 1
  const step = Math.ceil((cookie.length - from) / 10)
  const places = Array.from({ length: 10 }, (_, index) => from + index * step).map((place) => {
    while (place < cookie.length && !/^[0-9A-Za-z]/.test(cookie.slice(place))) place++
    return /%.?$/.test(cookie.slice(0, place)) ? place + 2 : place
  })
  return [...new Set(places)]
    .filter((place) => place < cookie.length - 1 && /[0-9A-Za-z]/.test(cookie[place] as string))
    .map((place) => `${cookie.slice(0, place)}${cookie[place] === 'A' ? 'B' : 'A'}${cookie.slice(place + 1)}`)
}

async function show(browser: Browser, cookie: string): Promise<Shown> {
  const { status, body } = await browser.ask('show', cookie)
  assert.equal(status, 200)
  return JSON.parse(body)
}
