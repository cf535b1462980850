/** The looks of the inspector, light and dark. All of it is within its own element, so that it fits into any page. */
export const STYLESHEET: string = `
.session-inspector {
  --inspector-accent: #0b6b63;
  --inspector-line: #c9ced3;
  --inspector-readable: #e0f2ef;
  --inspector-on-readable: #0a4f49;
  --inspector-sealed: #f6e7d3;
  --inspector-on-sealed: #63390a;
  --inspector-opaque: #eaecef;
  --inspector-on-opaque: #3c434a;
}
@media (prefers-color-scheme: dark) {
  .session-inspector {
    --inspector-accent: #5fd0c3;
    --inspector-line: #454d55;
    --inspector-readable: #123a36;
    --inspector-on-readable: #a8e8df;
    --inspector-sealed: #3d2c14;
    --inspector-on-sealed: #f3d3a4;
    --inspector-opaque: #2b3138;
    --inspector-on-opaque: #cdd3d9;
  }
}
.session-inspector section { margin-block: 2.5rem }
.session-inspector dl { display: grid; gap: .5rem; margin-block: 1rem }
.session-inspector dl div { display: grid; gap: 0 1rem }
.session-inspector dt { font-weight: 600 }
.session-inspector dd { margin: 0; overflow-wrap: anywhere }
.session-inspector code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em }
.session-inspector .size { align-items: center; display: flex; flex-wrap: wrap; gap: .25rem 1rem }
.session-inspector .size meter { flex: 1 1 12rem }
.session-inspector .value { line-height: 1.9; overflow-wrap: anywhere; word-break: break-all }
.session-inspector .part, .session-inspector .access { border-radius: .25rem; padding: .1rem .3rem }
.session-inspector .part { -webkit-box-decoration-break: clone; box-decoration-break: clone }
.session-inspector .readable { background: var(--inspector-readable); color: var(--inspector-on-readable) }
.session-inspector .sealed { background: var(--inspector-sealed); color: var(--inspector-on-sealed) }
.session-inspector .opaque { background: var(--inspector-opaque); color: var(--inspector-on-opaque) }
.session-inspector .scroll { overflow-x: auto }
.session-inspector .scroll:focus-visible { outline: .15rem solid var(--inspector-accent); outline-offset: .15rem }
.session-inspector table { border-collapse: collapse; min-width: 100% }
.session-inspector caption { font-weight: 600; padding-block: .5rem; text-align: start }
.session-inspector th, .session-inspector td {
  border-block-start: 1px solid var(--inspector-line);
  padding: .5rem 1rem .5rem 0;
  text-align: start;
  vertical-align: top;
}
.session-inspector tbody th { font-weight: 400; white-space: nowrap }
.session-inspector td { min-width: 6rem; overflow-wrap: anywhere }
.session-inspector .number { text-align: end }
.session-inspector meter {
  -webkit-appearance: none;
  appearance: none;
  background: var(--inspector-opaque);
  border: 1px solid var(--inspector-line);
  border-radius: .5rem;
  height: .75rem;
  min-width: 6rem;
  overflow: hidden;
}
.session-inspector meter::-webkit-meter-inner-element { height: 100% }
.session-inspector meter::-webkit-meter-bar { background: none; border: 0; border-radius: 0; height: 100% }
.session-inspector meter::-webkit-meter-optimum-value { background: var(--inspector-accent) }
.session-inspector meter::-moz-meter-bar { background: var(--inspector-accent) }
@media (min-width: 40rem) {
  .session-inspector dl div { grid-template-columns: 11rem 1fr }
}
.session-inspector-page { background: #fff; color: #1d2226; color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; margin: 0 }
.session-inspector-page main { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem }
@media (prefers-color-scheme: dark) {
  .session-inspector-page { background: #15191c; color: #e6e9eb }
}
`
