/** A piece of HTML that is safe to put into another one. */
export interface Html {
  readonly html: string
}

type Value = Html | readonly Html[] | string | number

/** Builds HTML from a template: every value is escaped, except what is HTML already. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: strings.map((text, index) => text + show(values[index] ?? '')).join('') }
}

function show(value: Value): string {
  if (typeof value === 'object') return 'html' in value ? value.html : value.map(show).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
