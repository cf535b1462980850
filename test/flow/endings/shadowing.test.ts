import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { CookieAttributes } from '../../../lib/index.ts'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import { MODES, REVOCABLE, withOneStore } from '../../helpers/app.ts'
import type { KitApp } from '../../helpers/login-app.ts'
import { createKitApp } from '../../helpers/login-app.ts'

const HOST = 'www.shop.test'

/** A browser at one page, which tells cookies of different domains and paths apart. The oldest comes first (RFC 6265bis, 5.8.3). */
class Browser {
  readonly cookies: Map<string, string> = new Map()

  async post({ app }: KitApp, url: string, payload: object = {}): Promise<LightMyRequestResponse> {
    return this.#take(
      await app.inject({ method: 'POST', url, payload, headers: { host: HOST, cookie: this.header() } })
    )
  }

  async read({ app }: KitApp, url: string): Promise<string> {
    return this.#take(await app.inject({ url, headers: { host: HOST, cookie: this.header() } })).body
  }

  header(): string {
    return [...this.cookies.values()].join('; ')
  }

  #take(response: LightMyRequestResponse): LightMyRequestResponse {
    for (const line of setCookieLines(response)) {
      const [pair = ''] = line.split('; ')
      const place = (line.match(/; (Domain|Path)=[^;]+/g) ?? []).sort().join('')
      if (line.includes('; Max-Age=0; ')) this.cookies.delete(place)
      else this.cookies.set(place, pair)
    }
    return response
  }
}

for (const { mode, options, isSelfContained } of [...MODES, ...REVOCABLE]) {
  for (const [change, earlier, later, isKnown] of [
    ['a domain was added', {}, { domain: 'shop.test' }, true],
    ['the domain was removed', { domain: 'shop.test' }, {}, false]
  ] as const) {
    t.test(`${mode} sessions: who logs in and out after ${change} is who they say`, async (t) => {
      const all = withOneStore(options)
      const deploy = (cookie: CookieAttributes): Promise<KitApp> => createKitApp({ ...all, cookie })
      const [before, after] = [await deploy(earlier), await deploy(later)]
      const pass = (seconds: number): void => {
        for (const { clock } of [before, after]) clock.advance(seconds)
      }
      const browser = new Browser()
      await browser.post(before, '/login', { id: 1 })
      const stolen = browser.header()
      pass(100)
      t.equal(await browser.read(after, '/who'), 'Ana')
      pass(10)
      await browser.post(after, '/login', { id: 2 })
      t.equal(await browser.read(after, '/who'), 'Ben')
      t.equal(browser.cookies.size, isKnown ? 1 : 2)
      pass(100)
      t.equal(await browser.read(after, '/me'), 'Ben', 'also when activity was noted')

      t.equal((await browser.post(after, '/logout')).statusCode, 200)
      t.equal(await browser.read(after, '/who'), 'nobody')
      pass(100)
      t.equal(await browser.read(after, '/who'), 'nobody', 'and stays so')
      await browser.post(after, '/login', { id: 1 })
      t.equal(await browser.read(after, '/who'), 'Ana')
      await browser.post(after, '/logout')
      t.equal(await browser.read(after, '/who'), 'nobody')

      const { body } = await after.app.inject({ url: '/who', headers: { cookie: stolen } })
      t.equal(
        body,
        isSelfContained ? 'Ana' : 'nobody',
        'a copy of the older cookie ends only where the server knows of it'
      )
    })
  }
}
