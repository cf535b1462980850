import { fromFlask } from '../../../lib/flask/envelope.ts'
import { FlaskFormat } from '../../../lib/flask/format.ts'
import { decodePayload, encodePayload, MAX_JSON_BYTES } from '../../../lib/flask/payload.ts'
import { signerOf, VECTORS } from '../../flask/vectors.ts'
import { NOW } from '../../format/samples.ts'
import { readCorpus } from '../corpus.ts'
import type { Target } from '../fuzz.ts'
import { cookieTarget } from './cookies.ts'

const TOKENS = [
  '{',
  '}',
  ':',
  ',',
  '"',
  '" di"',
  '" t"',
  '" b"',
  '"_fts"',
  '"_user_id"',
  '"_permanent"',
  '"__proto__"',
  'NaN',
  '[]'
]

/** What the payload of a cookie says, as JSON: of Flask, or of somebody who has the key and writes it wrongly. */
function payloadTarget(): Target {
  const texts = VECTORS.valid.map(({ cookie }) =>
    decodePayload(cookie.slice(0, cookie.lastIndexOf('.', cookie.lastIndexOf('.') - 1)))
  )
  return {
    name: 'flask payload',
    seeds: [...texts.filter((text) => text !== undefined), ...readCorpus('records')],
    tokens: TOKENS,
    check(text) {
      const bytes = Buffer.from(text)
      const json = decodePayload(encodePayload(text))
      if (json === undefined) return bytes.length > MAX_JSON_BYTES ? undefined : 'it has no payload'
      if (json !== bytes.toString()) return 'its payload is another text'
      const record = fromFlask(json, NOW, 'a cookie')
      if (typeof record === 'string') return undefined
      if (Object.getPrototypeOf(record.data) !== Object.prototype) return 'its data are no plain object'
      return Number.isInteger(record.createdAt) ? undefined : 'its times are no numbers'
    }
  }
}

/** The cookies of Flask: one opens if it is spelled exactly as a genuine one, and only then. */
export function flaskTargets(): Target[] {
  const format = new FlaskFormat(signerOf())
  const opens = (text: string): boolean => typeof format.decode(text) !== 'string'
  const isOurs = ({ salt, digest }: Partial<(typeof VECTORS.valid)[number]>): boolean =>
    salt === undefined && digest === undefined
  const genuine = VECTORS.valid.filter(isOurs).map(({ cookie }) => cookie)
  const others = VECTORS.valid.filter((vector) => !isOurs(vector)).map(({ cookie }) => cookie)
  return [cookieTarget('flask', { genuine, others }, opens), payloadTarget()]
}
