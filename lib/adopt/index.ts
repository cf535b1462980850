export type {
  AdoptOptions,
  FoundSession,
  OldCookie,
  ReaderContext,
  ReaderRefusal,
  SessionReader
} from '../../types/adopt.ts'
