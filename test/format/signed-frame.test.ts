import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { SignedFrame } from '../../lib/format/signed-frame.ts'
import { NOW, OLD_SECRET, SECRET } from './samples.ts'

function frameOf(format = 's2', secrets: readonly Buffer[] = [SECRET], cookieName = 'session'): SignedFrame {
  return new SignedFrame(format, deriveKeys(secrets, 'signed'), cookieName)
}

t.test('what was sealed verifies, gives back its payload and is as long as was said', async (t) => {
  const frame = frameOf()
  for (const payload of ['', 'a', 'a.b', 'x'.repeat(1000)]) {
    const text = frame.seal(NOW, payload)
    t.equal(frame.verify(text), undefined)
    t.equal(frame.payloadOf(text), payload)
    t.equal(frame.lengthOf(payload.length), text.length)
    t.ok(text.startsWith(`${frame.currentPrefix}${NOW}.${payload}.`))
  }
})

t.test('another format, name or secret is told apart', async (t) => {
  const text = frameOf().seal(NOW, 'payload')
  t.equal(frameOf('r2').verify(text), 'malformed')
  t.equal(frameOf('s2', [SECRET], 'other').verify(text), 'bad-signature')
  t.equal(frameOf('s2', [OLD_SECRET]).verify(text), 'unknown-key')
  t.equal(frameOf('s2', [OLD_SECRET, SECRET]).verify(text), undefined)
})

t.test('what has no head, payload and MAC is malformed', async (t) => {
  const frame = frameOf()
  const text = frame.seal(NOW, 'payload')
  for (const junk of [
    '',
    's2',
    'x',
    text.slice(1),
    text.slice(0, 18),
    `${text}x`,
    text.replace('.', '_'),
    'x'.repeat(10_000)
  ]) {
    t.equal(frame.verify(junk), 'malformed', junk.slice(0, 30))
  }
  t.equal(frame.verify(text.replace('payload', 'Payload')), 'bad-signature')
})
