import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyServerOptions } from 'fastify'
import type * as Tap from 'tap'

/** Returns the options of a server with a self-signed certificate, which it creates in the test's folder. */
export function selfSigned(t: Tap.Test): FastifyServerOptions & { readonly https: { key: Buffer; cert: Buffer } } {
  const { keyFile, certFile } = createSelfSigned(t)
  return { https: { key: readFileSync(keyFile), cert: readFileSync(certFile) } }
}

/** Creates a self-signed certificate in the test's folder. Returns the files. */
export function createSelfSigned(t: Tap.Test): { readonly keyFile: string; readonly certFile: string } {
  const directory = t.testdir()
  const [keyFile, certFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const parameters = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -keyout ${keyFile} -out ${certFile}`
  execFileSync('openssl', parameters.split(' '), { stdio: 'pipe' })
  return { keyFile, certFile }
}
