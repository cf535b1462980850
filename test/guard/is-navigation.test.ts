import t from 'tap'
import { isNavigation } from '../../lib/guard/is-navigation.ts'

type Headers = Record<string, string>

const CHROME = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'

/** Requests of a browser that navigates. */
const PAGES: Record<string, Headers> = {
  'a link or a form, where the site is trustworthy': { 'sec-fetch-mode': 'navigate', accept: CHROME },
  'the same of a client that accepts anything': { 'sec-fetch-mode': 'navigate', accept: '*/*' },
  'the same without Accept': { 'sec-fetch-mode': 'navigate' },
  'a link over plain HTTP, where browsers do not tell the mode': { accept: CHROME },
  'a page among other things': { accept: 'application/json, text/html' },
  'in capitals': { accept: 'TEXT/HTML' },
  XHTML: { accept: 'application/xhtml+xml' }
}

/** Requests of programs, and of scripts and images of a page. */
const PROGRAMS: Record<string, Headers> = {
  'fetch of a page that asks for a page': { 'sec-fetch-mode': 'cors', accept: CHROME },
  'fetch of the same site': { 'sec-fetch-mode': 'same-origin', accept: 'text/html' },
  'a picture, a script': { 'sec-fetch-mode': 'no-cors', accept: CHROME },
  'a WebSocket': { 'sec-fetch-mode': 'websocket', accept: CHROME },
  'a mode that is said twice': { 'sec-fetch-mode': 'navigate, navigate', accept: CHROME },
  'an empty mode': { 'sec-fetch-mode': '', accept: CHROME },
  curl: { accept: '*/*' },
  'an API client': { accept: 'application/json, text/plain, */*' },
  'a client that accepts nothing in particular': {},
  'XMLHttpRequest of jQuery': { accept: 'text/html, */*; q=0.01', 'x-requested-with': 'XMLHttpRequest' },
  'a type that only looks like it': { accept: 'text/htmlx, atext/html, text/x-html' },
  'any text': { accept: 'text/*' }
}

t.test('a navigation is recognized by the headers of browsers', (t) => {
  for (const [name, headers] of Object.entries(PAGES)) t.equal(isNavigation({ raw: { headers } }), true, name)
  t.end()
})

t.test('every other request is from a program', (t) => {
  for (const [name, headers] of Object.entries(PROGRAMS)) t.equal(isNavigation({ raw: { headers } }), false, name)
  t.end()
})
