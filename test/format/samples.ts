import { createCipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { RandomPool } from '../../lib/crypto/random.ts'
import { loadXChaCha } from '../../lib/crypto/xchacha.ts'
import type { IdentifiedRecord } from '../../lib/format/record.ts'
import type { MemberVectors, ValidVector, Vectors } from '../vectors/generate.ts'

export const NOW = 1_795_176_000
export const SECRET: Buffer = Buffer.from('tests only: 0f5a8c2e91d7b364a2c4')
export const OLD_SECRET: Buffer = Buffer.from('tests only: 77e10b93ac5f4d2886e0')

export const CIPHER: Awaited<ReturnType<typeof loadXChaCha>> = await loadXChaCha()

export const RECORD: IdentifiedRecord = {
  id: 'AQIDBAUGBwgJCgsMDQ4PEA',
  createdAt: NOW - 3600,
  lastSeenAt: NOW - 30,
  permanent: false,
  ownerId: 'alice@example.com',
  extensions: undefined,
  json: '{"visits":12,"note":"a plain text"}'
}

/** What a record of a vector does not have. */
export function absent({ ownerId, extensions }: Pick<ValidVector['record'], 'ownerId' | 'extensions'>) {
  return { ownerId: ownerId ?? undefined, extensions: extensions ?? undefined }
}

export function readVectors(mode: 'signed' | 'encrypted'): Vectors {
  return JSON.parse(readFileSync(new URL(`../vectors/${mode}.json`, import.meta.url), 'utf8'))
}

export function readMemberVectors(): MemberVectors {
  return JSON.parse(readFileSync(new URL('../vectors/members.json', import.meta.url), 'utf8'))
}

/** Bytes that look random, never repeat and are the same in each run. */
export function fixedRandom(): RandomPool {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16))
  return new RandomPool((target) => target.set(stream.update(Buffer.alloc(target.length))))
}

/** A pool that gives out exactly these bytes, and then zeros. */
export function givenRandom(bytes: Buffer): RandomPool {
  return new RandomPool((target) => {
    target.fill(0)
    target.set(bytes)
  })
}
