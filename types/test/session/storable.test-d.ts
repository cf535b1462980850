import type { NotStorable, Session, SessionValues, Storable } from 'fastify-typed-session'
import { same, typed } from '../expect.ts'
import type { Json, Money, Tree } from './augmentation.ts'

type NoDate = NotStorable<'JSON has no dates: declare a string and store date.toISOString()'>
type NoMap = NotStorable<'JSON has no maps and sets: declare an object or an array'>
type NoBigint = NotStorable<'JSON has no bigints: declare a string'>
type NoBytes = NotStorable<'JSON has no bytes: declare a string and store it as base64'>
type NoSymbol = NotStorable<'JSON has no symbols: declare a string'>
type NoFunction = NotStorable<'JSON has no functions and no instances of classes with methods: declare a plain object'>

declare const session: Session

// What JSON cannot carry is replaced by the reason, where it is and not around it.
same<typeof session.date, NoDate | undefined>(true)
same<typeof session.map, NoMap | undefined>(true)
same<typeof session.set, Session['set']>(true)
same<typeof session.big, NoBigint | undefined>(true)
same<typeof session.call, NoFunction | undefined>(true)
same<typeof session.mark, NoSymbol | undefined>(true)
same<typeof session.bytes, NoBytes | undefined>(true)
same<typeof session.money, { readonly amount: number; format: NoFunction } | undefined>(true)
same<typeof session.dateOrNull, NoDate | null | undefined>(true)
same<typeof session.dates, NoDate[] | undefined>(true)
same<NonNullable<typeof session.nested>['deep'], { at: NoDate; n: number }[]>(true)
same<NonNullable<typeof session.nested>['big'], NoBigint | undefined>(true)
const datedTree = session.get('datedTree')
same<NonNullable<typeof datedTree>['at'], NoDate>(true)
same<NonNullable<NonNullable<typeof datedTree>['children'][number]['children'][number]>['at'], NoDate>(true)
session.dateOrNull = null
const date = session.get('date')
same<typeof date, NoDate | undefined>(true)
same<SessionValues['date'], NoDate | undefined>(true)

// `any` reads as unknown, at every depth.
same<typeof session.loose, unknown>(true)
same<typeof session.anything, unknown>(true)
same<NonNullable<typeof session.looseInside>, { a?: unknown; b: unknown[]; c: Record<string, unknown> }>(true)
session.loose = { whatever: 1 }

// What JSON carries stays itself.
same<Storable<Tree>, Tree>(true)
same<Storable<Json>, Json>(true)
same<Storable<{ readonly a?: string }>, { readonly a?: string }>(true)
same<Storable<{ a: string | undefined }>, { a: string | undefined }>(true)
same<Storable<readonly [a: string, b?: number]>, readonly [a: string, b?: number]>(true)
same<Storable<string[][]>, string[][]>(true)
same<Storable<boolean>, boolean>(true)
same<Storable<never>, never>(true)
same<Storable<unknown>, unknown>(true)
same<Storable<`${number}px`>, `${number}px`>(true)

// What it cannot carry, in other places.
same<Storable<[Date, ...bigint[]]>, [NoDate, ...NoBigint[]]>(true)
same<Storable<readonly Set<string>[]>, readonly NoMap[]>(true)
same<Storable<Record<string, Date>>, Record<string, NoDate>>(true)
same<Storable<{ f?: () => void }>, { f?: NoFunction }>(true)
same<Storable<Promise<string>>['then'], NoFunction>(true)
same<Storable<Buffer>, NoBytes>(true)
same<Storable<typeof Money>, NoFunction>(true)
same<Storable<string | Map<string, Date>>, string | NoMap>(true)

// An interface without an index signature fits, and a value goes in and out under its own name.
interface Point {
  x: number
  y: number
}
declare const points: Session<{ at: Point; path: Point[] }>
points.at = { x: 1, y: 2 }
typed<Point | undefined>(points.at)
typed<Point[] | undefined>(points.get('path'))
