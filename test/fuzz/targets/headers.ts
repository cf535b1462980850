import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import { resolveAttributes } from '../../../lib/cookie/attributes.ts'
import { cookiesNamed } from '../../../lib/cookie/read.ts'
import { cookieSerializer } from '../../../lib/cookie/serializer.ts'
import { RememberCookie } from '../../../lib/login/remember-cookie.ts'
import { candidatesIn } from '../../../lib/request/candidates.ts'
import { NOW } from '../../format/samples.ts'
import { readCorpus } from '../corpus.ts'
import type { Target } from '../fuzz.ts'
import { formatOf, opensIn, referenceOf, seedsOf } from './cookies.ts'

const TOKENS = [
  ';',
  '; ',
  ' ;',
  ';;',
  '=',
  '==',
  '"',
  '\t',
  ',',
  'session',
  'session=',
  '; session=',
  '$Version=1',
  ' '
]

/** What the header holds by RFC 6265, section 5.4: written a second time, as plainly as can be. */
function valuesIn(header: string, name: string): string[] {
  return header.split(';').flatMap((pair) => {
    const equals = pair.indexOf('=')
    const isNamed = equals !== -1 && trimStart(pair.slice(0, equals)) === name
    return isNamed ? [trimEnd(pair.slice(equals + 1))] : []
  })
}

function trimStart(text: string): string {
  let from = 0
  while (isBlank(text[from])) from++
  return text.slice(from)
}

function trimEnd(text: string): string {
  let to = text.length
  while (isBlank(text[to - 1])) to--
  return text.slice(0, to)
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}

/** A header holds the cookies that it holds, whatever else is in it. `find`: returns the values of a name. */
export function headerTarget(find: (header: string, name: string) => readonly string[]): Target {
  const cookie = seedsOf('signed').genuine[0] as string
  const opens = opensIn(formatOf('signed'))
  return {
    name: 'header',
    seeds: [...readCorpus('headers'), `session=${cookie}`, `a=1; session=${cookie}; session=x`],
    tokens: [...TOKENS, `session=${cookie}`],
    check(header) {
      const expected = valuesIn(header, 'session')
      const found = find(header, 'session')
      if (JSON.stringify(found) !== JSON.stringify(expected)) return `it holds ${expected.length} cookies, not these`
      const { values, isCut } = candidatesIn(header, 'session')
      if (values.length !== Math.min(8, expected.length) || isCut !== expected.length > 8) return 'others are tried'
      const opened = values.find(opens)
      return opened === undefined || opened === cookie ? undefined : 'another cookie opens'
    }
  }
}

/** A remember cookie gives the token that was sealed into it, or none. */
async function rememberTarget(): Promise<Target> {
  const format = referenceOf('session remember')
  const settings = {
    cookieName: 'remember',
    attributes: resolveAttributes('remember', {}),
    maxAge: 3600,
    now: () => NOW
  }
  const cookie = new RememberCookie(settings, format, await cookieSerializer(fastify()))
  const tokens = ['A', 'b', '-'].map((letter) => letter.repeat(65))
  const sealed = new Map(tokens.map((token) => [format.encode(token, NOW), token]))
  const cookies = [...sealed.keys()].map((value) => `remember=${value}`)
  return {
    name: 'remember',
    seeds: [
      ...cookies,
      cookies.join('; '),
      ...readCorpus('headers').map((header) => header.replaceAll('session', 'remember'))
    ],
    tokens: [...TOKENS, ...cookies, 'remember='],
    check(header) {
      const expected = valuesIn(header, 'remember')
        .slice(0, 8)
        .flatMap((value) => sealed.get(value) ?? [])
        .slice(0, 4)
      const read = cookie.read({ raw: { headers: { cookie: header } } } as FastifyRequest)
      return JSON.stringify(read) === JSON.stringify(expected) ? undefined : 'it gives other tokens'
    }
  }
}

/** The Cookie header, for sessions and for remembered logins. */
export async function headerTargets(): Promise<Target[]> {
  return [headerTarget((header, name) => [...cookiesNamed(header, name)]), await rememberTarget()]
}
