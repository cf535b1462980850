import type { Html } from './html.ts'
import { html } from './html.ts'

const FORMAT = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })

/** A time that people and programs can read. */
export function time(date: Date): Html {
  return html`<time datetime="${date.toISOString()}">${FORMAT.format(date)} UTC</time>`
}
