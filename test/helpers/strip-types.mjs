// Lets tests import TypeScript on every supported Node.js. It replaces types with spaces, so lines and columns stay the same and
// coverage needs no source maps.
import { register } from 'node:module'

register('./strip-types-hooks.mjs', import.meta.url)
