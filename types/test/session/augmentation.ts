import type {} from 'fastify-typed-session'

export type UserId = string & { readonly brand: unique symbol }

export enum Role {
  Reader = 'reader',
  Editor = 'editor'
}

export enum Level {
  Low,
  High
}

export interface Address {
  street: string
  city?: string
}

export interface Tree {
  value: number
  children: Tree[]
  parent?: Tree
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Has methods and a private member, so that JSON cannot carry it. */
export class Money {
  readonly amount: number
  #currency = 'EUR'

  constructor(amount: number) {
    this.amount = amount
  }

  format(): string {
    return `${this.amount} ${this.#currency}`
  }
}

export interface DatedTree {
  at: Date
  children: DatedTree[]
}

declare module 'fastify-typed-session' {
  interface SessionData {
    userId: number
    visits: number
    name: string
    cart: Record<string, number>
    names: string[]
    /** Fits into JSON as it is. */
    brand: UserId
    role: Role
    level: Level
    status: 'open' | 'closed'
    address: Address
    tree: Tree
    json: Json
    flag: boolean
    nothing: null
    either: string | { text: string } | null
    readonly pinned: string
    maybe?: number
    fixed: readonly string[]
    pair: [name: string, age?: number]
    rest: readonly [string, ...number[]]
    anything: unknown
    /** JSON cannot carry these. */
    date: Date
    map: Map<string, number>
    set: ReadonlySet<string>
    big: bigint
    call: (text: string) => void
    mark: symbol
    bytes: Uint8Array
    money: Money
    dateOrNull: Date | null
    dates: Date[]
    nested: { deep: { at: Date; n: number }[]; big?: bigint }
    datedTree: DatedTree
    /** `any` must not leak. */
    // biome-ignore lint/suspicious/noExplicitAny: what becomes of it is what is tested
    loose: any
    // biome-ignore lint/suspicious/noExplicitAny: what becomes of it is what is tested
    looseInside: { a?: any; b: any[]; c: Record<string, any> }
    /** Names that are taken. */
    get: string
    id: number
    isNew: string
    permanent: string
    idleTimeout: string
    toString: number
    constructor: string
  }
}
