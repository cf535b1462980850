import t from 'tap'
import { readIdentifierOf, readSkippedOf, readTokenOf } from '../../lib/device-bound/request-headers.ts'
import { createKeys, refreshToken } from '../helpers/device-browser.ts'

const request = (headers: Record<string, string>, protocol: 'http' | 'https' = 'https') => ({ protocol, headers })
const TOKEN = refreshToken(createKeys(), 'a challenge')

t.test('a token is read in both spellings', async (t) => {
  for (const header of [TOKEN, `"${TOKEN}"`]) {
    t.match(readTokenOf(request({ 'secure-session-response': header })), { challenge: 'a challenge' })
  }
  t.equal(readTokenOf(request({ 'secure-session-response': TOKEN }, 'http')), 'insecure-transport')
  t.equal(readTokenOf(request({})), 'not-a-browser')
  t.equal(readTokenOf(request({ 'secure-session-response': `${TOKEN}, ${TOKEN}` })), 'malformed')
  t.equal(readTokenOf(request({ 'secure-session-response': 'abc' })), 'malformed')
})

t.test('an identifier is read in both spellings', async (t) => {
  t.equal(readIdentifierOf(request({ 'sec-secure-session-id': 'dabc' })), 'dabc')
  t.equal(readIdentifierOf(request({ 'sec-secure-session-id': '"dabc"' })), 'dabc')
  t.equal(readIdentifierOf(request({})), undefined)
})

t.test('what a browser says of a refresh that it has skipped', async (t) => {
  for (const [header, reason] of [
    ['unreachable', 'unreachable'],
    ['unreachable;session_identifier="d1"', 'unreachable'],
    ['server_error;session_identifier="d1", unreachable;session_identifier="d2"', 'server_error'],
    ['"quota_exceeded"', 'quota_exceeded'],
    ['something', 'other'],
    ['(', 'other']
  ] as const) {
    t.equal(readSkippedOf(request({ 'secure-session-skipped': header })), reason, header)
  }
  t.equal(readSkippedOf(request({})), undefined)
})
