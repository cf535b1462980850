/** A piece of HTML that is safe to put into another one. */
export interface Html {
  readonly html: string
}

/** Builds HTML from a template: every value is escaped, except what is HTML already. */
export function html(strings: TemplateStringsArray, ...values: readonly (Html | string | number)[]): Html {
  return { html: strings.map((text, index) => text + show(values[index])).join('') }
}

function show(value: Html | string | number | undefined): string {
  if (typeof value === 'object') return value.html
  return String(value ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A whole page. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
  :root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
  body { margin: 0 auto; max-width: 40rem; padding: 1rem }
  nav { display: flex; gap: 1rem; align-items: center }
  button, input { font: inherit; padding: .3rem .6rem }
  dt { font-weight: bold }
  dd { margin: 0 0 .5rem; overflow-wrap: anywhere }
</style>
</head>
<body>
<nav aria-label="Pages"><a href="/">Visits</a> <a href="/members">Members</a></nav>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.html
}
