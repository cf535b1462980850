type Colors = Readonly<Record<string, string>>

/** Returns the custom properties of a stylesheet that are colours, for the light and the dark scheme. */
export function colorsOf(stylesheet: string): { light: Colors; dark: Colors } {
  const [, darkRules = ''] = /@media \(prefers-color-scheme: dark\) \{([\s\S]*?\n {2}\})/.exec(stylesheet) ?? []
  const light = declarations(stylesheet.replace(darkRules, ''))
  return { light, dark: { ...light, ...declarations(darkRules) } }
}

function declarations(rules: string): Colors {
  return Object.fromEntries([...rules.matchAll(/(--[\w-]+): (#[0-9a-f]+);/gi)].map(([, name, color]) => [name, color]))
}

/** Returns the contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(color: string): number {
  const hex = /^#[0-9a-f]{3}$/i.test(color) ? color.replace(/[0-9a-f]/gi, '$&$&') : color
  if (!/^#[0-9a-f]{6}$/i.test(hex)) throw new Error(`${color} is no colour in hexadecimal digits.`)
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
