/** HTML that is safe to insert into other HTML. */
export interface Html {
  readonly html: string
}

type Value = Html | readonly Html[] | string | number

/** Returns HTML from a template. It escapes every value except values that are `Html`. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: strings.map((text, index) => text + show(values[index] ?? '')).join('') }
}

function show(value: Value): string {
  if (typeof value === 'object') return 'html' in value ? value.html : value.map(show).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
