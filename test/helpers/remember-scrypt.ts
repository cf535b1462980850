import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

type Derive = (password: string, salt: Buffer, length: number, options: object, done: Done) => void
type Done = (error: Error | null, key: Buffer) => void

/**
 * Makes `scrypt` remember what it derived, for modules that are loaded later. The example logs in some sixty times with few
 * passwords, and each derivation takes a fifth of a second on purpose.
 */
export function rememberScrypt(): void {
  const { scrypt } = crypto as unknown as { scrypt: Derive }
  const derived = new Map<string, Buffer>()
  const remembering: Derive = (password, salt, length, options, done) => {
    const question = JSON.stringify([password, salt, length, options])
    const known = derived.get(question)
    if (known !== undefined) {
      setImmediate(done, null, known)
      return
    }
    scrypt(password, salt, length, options, (error, key) => {
      if (error === null) derived.set(question, key)
      done(error, key)
    })
  }
  Object.assign(crypto, { scrypt: remembering })
  syncBuiltinESMExports()
}
