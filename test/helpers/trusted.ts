import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import { cannotTest } from './service.ts'

export interface Trusted {
  /** Options of a server for every host under `.test`. */
  readonly https: { readonly key: Buffer; readonly cert: Buffer }
  /** The home of a Chromium that trusts its certificate. */
  readonly home: string
}

/**
 * Creates an authority, a certificate of it for `app.test`, and a home in which Chromium trusts it. Without certutil it reports that,
 * and returns undefined.
 */
export function createTrusted(t: Tap.Test, what: string): Trusted | undefined {
  const directory = t.testdir()
  const inside = (name: string): string => join(directory, name)
  const run = (program: string, parameters: string): void => {
    execFileSync(program, parameters.split(' '), { stdio: 'pipe', cwd: directory })
  }
  const database = `sql:${inside('home/.pki/nssdb')}`
  mkdirSync(inside('home/.pki/nssdb'), { recursive: true })
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
  run('openssl', `req -x509 ${newKey} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem`)
  run('openssl', `req ${newKey} -subj /CN=app.test -keyout key.pem -out request.pem`)
  writeFileSync(inside('names'), 'subjectAltName=DNS:app.test,DNS:*.app.test')
  const signing = '-days 2 -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names'
  run('openssl', `x509 -req -in request.pem -out cert.pem ${signing}`)
  try {
    run('certutil', `-d ${database} -N --empty-password`)
  } catch {
    cannotTest(t, what, 'there is no certutil, which is in libnss3-tools of Debian')
    return undefined
  }
  run('certutil', `-d ${database} -A -t C,, -n authority -i ca.pem`)
  return {
    https: { key: readFileSync(inside('key.pem')), cert: readFileSync(inside('cert.pem')) },
    home: inside('home')
  }
}
