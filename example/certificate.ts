import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificate {
  /** Options of a server. */
  readonly https: { readonly key: Buffer; readonly cert: Buffer }
  /** The authority that a browser has to trust. */
  readonly authorityFile: string
}

/** Returns a certificate for these hosts, which OpenSSL makes in a folder, unless it is there. */
export function openCertificate(folder: string, hosts: readonly string[]): Certificate {
  const inside = (name: string): string => join(folder, name)
  if (!existsSync(inside('cert.pem'))) create(folder, hosts)
  return {
    https: { key: readFileSync(inside('key.pem')), cert: readFileSync(inside('cert.pem')) },
    authorityFile: inside('ca.pem')
  }
}

/** An authority, because browsers trust no certificate that has signed itself. */
function create(folder: string, hosts: readonly string[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const openssl = (parameters: string): void => {
    execFileSync('openssl', parameters.split(' '), { stdio: 'pipe', cwd: folder })
  }
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
  writeFileSync(join(folder, 'names'), `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}`)
  openssl(`req -x509 ${newKey} -days 30 -subj /CN=fastify-typed-session-example -keyout ca.key -out ca.pem`)
  openssl(`req ${newKey} -subj /CN=${hosts[0]} -keyout key.pem -out request.pem`)
  openssl(`x509 -req -in request.pem -out cert.pem -days 30 -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names`)
}
