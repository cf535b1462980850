/** A piece of HTML that needs no escaping. */
export interface Html {
  readonly html: string
}

type Value = Html | readonly Html[] | string | number

/** Builds HTML from a template. It escapes every value that is not a piece of HTML. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: String.raw({ raw: strings }, ...values.map(show)) }
}

function show(value: Value): string {
  if (typeof value === 'object') return 'html' in value ? value.html : value.map(show).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
