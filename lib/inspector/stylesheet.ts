/**
 * The stylesheet of the inspector, light and dark. It styles only the element of the inspector, so that it fits into any page.
 */
export const STYLESHEET: string = `
.session-inspector {
  --inspector-surface: #ffffff;
  --inspector-ink: #1b2124;
  --inspector-muted: #525c63;
  --inspector-line: #d8dddf;
  --inspector-accent: #0b6b63;
  --inspector-readable: #e0f2ef;
  --inspector-on-readable: #0a4f49;
  --inspector-sealed: #f6e7d3;
  --inspector-on-sealed: #63390a;
  --inspector-opaque: #e8ebed;
  --inspector-on-opaque: #3c454b;
}
@media (prefers-color-scheme: dark) {
  .session-inspector {
    --inspector-surface: #1a1f22;
    --inspector-ink: #e7eaec;
    --inspector-muted: #a8b2b9;
    --inspector-line: #343c41;
    --inspector-accent: #5fd0c3;
    --inspector-readable: #123a36;
    --inspector-on-readable: #a8e8df;
    --inspector-sealed: #3d2c14;
    --inspector-on-sealed: #f3d3a4;
    --inspector-opaque: #2b3237;
    --inspector-on-opaque: #cdd4d9;
  }
}
.session-inspector section {
  background: var(--inspector-surface);
  border: 1px solid var(--inspector-line);
  border-radius: .75rem;
  color: var(--inspector-ink);
  margin-block: 1.25rem;
  padding: 1.5rem;
}
.session-inspector h2 { font-size: 1.25rem; line-height: 1.2; margin: 0 0 1rem }
.session-inspector p { margin: 0 0 1rem; max-width: none }
.session-inspector code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em }
.session-inspector small { color: var(--inspector-muted); font-size: .875em; white-space: nowrap }
.session-inspector .size { align-items: center; display: flex; flex-wrap: wrap; gap: .25rem 1rem }
.session-inspector .size meter { flex: 1 1 12rem; width: auto }
.session-inspector .value { line-height: 2; overflow-wrap: anywhere; word-break: break-all }
.session-inspector .part, .session-inspector .access { border-radius: .25rem; padding: .1rem .3rem }
.session-inspector .part { -webkit-box-decoration-break: clone; box-decoration-break: clone; margin-inline: .1rem }
.session-inspector .access { font-size: .875em }
.session-inspector .readable { background: var(--inspector-readable); color: var(--inspector-on-readable) }
.session-inspector .sealed { background: var(--inspector-sealed); color: var(--inspector-on-sealed) }
.session-inspector .opaque { background: var(--inspector-opaque); color: var(--inspector-on-opaque) }
.session-inspector dl { margin: 0 }
.session-inspector dl div {
  border-block-start: 1px solid var(--inspector-line);
  display: grid;
  gap: .25rem 1.5rem;
  grid-template-columns: minmax(0, 1fr);
  padding-block: .625rem;
}
.session-inspector dl div:first-child { border: 0 }
.session-inspector dl div:last-child { padding-block-end: 0 }
.session-inspector dt { color: inherit; font-weight: 600; overflow-wrap: anywhere }
.session-inspector dt * { font-weight: 400 }
.session-inspector dd { margin: 0; overflow-wrap: anywhere }
.session-inspector meter {
  -webkit-appearance: none;
  appearance: none;
  background: var(--inspector-opaque);
  border: 0;
  border-radius: .5rem;
  display: block;
  height: .5rem;
  overflow: hidden;
  width: 100%;
}
.session-inspector meter::-webkit-meter-inner-element { height: 100% }
.session-inspector meter::-webkit-meter-bar { background: none; border: 0; border-radius: 0; height: 100% }
.session-inspector meter::-webkit-meter-optimum-value { background: var(--inspector-accent) }
.session-inspector meter::-moz-meter-bar { background: var(--inspector-accent) }
@media (min-width: 48rem) {
  .session-inspector dl div { grid-template-columns: 17rem minmax(0, 1fr) }
}
.session-inspector-page { background: #f6f7f6; color: #1b2124; color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; margin: 0 }
.session-inspector-page main { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1rem 4rem }
@media (prefers-color-scheme: dark) {
  .session-inspector-page { background: #111517; color: #e7eaec }
}
`
