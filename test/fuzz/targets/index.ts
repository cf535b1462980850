import type { CorpusName } from '../corpus.ts'
import type { Target } from '../fuzz.ts'
import { cookieTargets } from './cookies.ts'
import { deviceTargets } from './device.ts'
import { flaskTargets } from './flask.ts'
import { headerTargets } from './headers.ts'
import { pathTarget } from './paths.ts'
import { recordTargets } from './records.ts'

/** All targets, by the files of the corpus that they start from. */
export async function allTargets(): Promise<Record<CorpusName, Target[]>> {
  return {
    cookies: [...cookieTargets(), ...flaskTargets(), ...deviceTargets()],
    headers: await headerTargets(),
    paths: [pathTarget()],
    records: recordTargets()
  }
}
