import { Endings } from '../../lib/endings/endings.ts'

/** Tells nobody. */
export const NOBODY = new Endings('session', undefined)
