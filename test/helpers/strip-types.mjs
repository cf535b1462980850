// Lets tests import TypeScript on every supported Node. Types are blanked out, so that each line and column stays where it
// is and coverage needs no source maps.
import { register } from 'node:module'

register('./strip-types-hooks.mjs', import.meta.url)
