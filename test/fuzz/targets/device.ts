import { readFileSync } from 'node:fs'
import { deriveKeys } from '../../../lib/crypto/keys.ts'
import type { Algorithm } from '../../../lib/device-bound/device-key.ts'
import { readJwk } from '../../../lib/device-bound/device-key.ts'
import { isSignedBy, readProofToken } from '../../../lib/device-bound/proof-token.ts'
import { parseItem, parseList } from '../../../lib/device-bound/structured-field.ts'
import { ChallengeFormat } from '../../../lib/format/challenge.ts'
import { ProofFormat } from '../../../lib/format/proof.ts'
import { fixedRandom, NOW, OLD_SECRET, RECORD, SECRET } from '../../format/samples.ts'
import { readCorpus } from '../corpus.ts'
import type { Target } from '../fuzz.ts'
import { cookieTarget } from './cookies.ts'

const NAME = 'session_device'
const KEYS = deriveKeys([SECRET, OLD_SECRET], 'reference')

/** What two keys have signed: a signature of ES256 is another one each time. */
const SIGNED: readonly { algorithm: Algorithm; jwk: unknown; tokens: readonly string[] }[] = JSON.parse(
  readFileSync(new URL('../../vectors/device-tokens.json', import.meta.url), 'utf8')
)

/** The short-lived cookie that tells what a device has proved. */
function proofTarget(): Target {
  const format = new ProofFormat(KEYS, NAME)
  const proof = { provedAt: NOW, expiresAt: NOW + 600, key: '' }
  const genuine = [
    format.encode(proof, RECORD.id),
    format.encode({ ...proof, key: `E${'A'.repeat(86)}` }, RECORD.id),
    new ProofFormat(deriveKeys([OLD_SECRET], 'reference'), NAME).encode(proof, RECORD.id)
  ]
  const others = [format.encode(proof, 'another id'), new ProofFormat(KEYS, 'other').encode(proof, RECORD.id)]
  return cookieTarget('proof', { genuine, others }, (text) => format.decode(text, RECORD.id) !== undefined)
}

/** What a device is to sign. */
function challengeTarget(): Target {
  const format = new ChallengeFormat(KEYS, NAME, fixedRandom())
  const genuine = [format.encode('refresh', RECORD.id, NOW), format.encode('refresh', RECORD.id, 0)]
  const others = [format.encode('register', RECORD.id, NOW), format.encode('refresh', 'another id', NOW)]
  const opens = (text: string): boolean => format.decode(text, 'refresh', RECORD.id) !== undefined
  return cookieTarget('challenge', { genuine, others }, opens)
}

/** What a browser has signed. Only what it has signed is signed by its key, in one spelling. */
function tokenTarget(): Target {
  const genuine = SIGNED.flatMap(({ tokens }) => tokens)
  const known = SIGNED.map(({ algorithm, jwk }) => readJwk(jwk, algorithm))
  return cookieTarget('token', { genuine, others: [] }, (text) => {
    const token = readProofToken(text)
    if (token === undefined) return false
    readJwk(token.jwk, token.algorithm)
    return known.some((key) => key !== undefined && isSignedBy(token, key))
  })
}

/** The fields of a request that name a session and a challenge. */
function fieldTarget(): Target {
  return {
    name: 'field',
    seeds: ['"a"', 'a;b=c', '"a";id="b";c', '("a")', 'ES256, RS256', '"a\\"b\\\\"', ...readCorpus('headers')],
    tokens: ['"', '\\', ';', ',', '=', '(', ')', ' ', '\t', 'id=', '"a"', '*', '?1', '__proto__'],
    check(text) {
      const [items, item] = [parseList(text), parseItem(text)]
      if ((item !== undefined) !== (items?.length === 1)) return 'one item is not a list of one'
      const isPlain = items?.every(({ parameters }) => Object.getPrototypeOf(parameters) === null) !== false
      return isPlain ? undefined : 'its parameters are no plain object'
    }
  }
}

/** What browsers send for sessions that are bound to a device. */
export function deviceTargets(): Target[] {
  return [proofTarget(), challengeTarget(), tokenTarget(), fieldTarget()]
}
