import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import { openCertificate } from '../../example/certificate.ts'
import { cannotTest } from './service.ts'

export interface Trusted {
  /** Options of a server for `app.test`. */
  readonly https: { readonly key: Buffer; readonly cert: Buffer }
  /** The home of a Chromium that trusts its certificate. */
  readonly home: string
}

/** Creates a certificate, and a home in which Chromium trusts it. Without certutil it reports that, and returns undefined. */
export function createTrusted(t: Tap.Test, what: string): Trusted | undefined {
  const home = join(t.testdir({}), 'home')
  const folder = join(home, '.pki/nssdb')
  mkdirSync(folder, { recursive: true })
  const { https, authorityFile } = openCertificate(join(home, 'certificate'), ['app.test'])
  const certutil = (parameters: string): void => {
    execFileSync('certutil', ['-d', `sql:${folder}`, ...parameters.split(' ')], { stdio: 'pipe' })
  }
  try {
    certutil('-N --empty-password')
  } catch {
    cannotTest(t, what, 'there is no certutil, which is in libnss3-tools of Debian')
    return undefined
  }
  certutil(`-A -t C,, -n authority -i ${authorityFile}`)
  return { https, home }
}
