// Lines of logs with the colors of terminals (ECMA-48, SGR).

export interface Span {
  text: string
  // classes are a0 to a15 for a color, b for bold, d for faint, i for italic, u for
  // underlined.
  classes: string
}

// Sequences that are no colors, such as movements of the cursor, are left out.
const sequence = /\x1b\[([0-9;:]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g

interface Style {
  color: number
  bold: boolean
  faint: boolean
  italic: boolean
  underlined: boolean
}

const none: Style = { color: -1, bold: false, faint: false, italic: false, underlined: false }

// spans splits a line where its style changes.
export function spans(line: string): Span[] {
  if (!/[\x00-\x08\x0b-\x1f\x7f]/.test(line)) return [{ text: line, classes: '' }]
  const out: Span[] = []
  let style = none
  let from = 0
  const push = (text: string): void => {
    if (text) out.push({ text, classes: classesOf(style) })
  }
  for (const match of line.matchAll(sequence)) {
    push(line.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === 'm') style = apply(style, match[1] ?? '')
  }
  push(line.slice(from))
  return out
}

// stripped returns the line without sequences.
export function stripped(line: string): string {
  return line.replace(sequence, '')
}

function classesOf(s: Style): string {
  const classes: string[] = []
  if (s.color >= 0) classes.push(`a${s.color}`)
  if (s.bold) classes.push('b')
  if (s.faint) classes.push('d')
  if (s.italic) classes.push('i')
  if (s.underlined) classes.push('u')
  return classes.join(' ')
}

function apply(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number)
  let style = before
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    if (code === 38 || code === 48) {
      const indexed = codes[i + 1] === 5
      if (code === 38 && indexed) style = { ...style, color: indexedColor(codes[i + 2] ?? 0) }
      i += indexed ? 2 : 4
      continue
    }
    style = applyCode(style, code)
  }
  return style
}

function applyCode(style: Style, code: number): Style {
  if (code >= 30 && code <= 37) return { ...style, color: code - 30 }
  if (code >= 90 && code <= 97) return { ...style, color: code - 90 + 8 }
  switch (code) {
    case 0:
      return none
    case 1:
      return { ...style, bold: true }
    case 2:
      return { ...style, faint: true }
    case 3:
      return { ...style, italic: true }
    case 4:
      return { ...style, underlined: true }
    case 22:
      return { ...style, bold: false, faint: false }
    case 23:
      return { ...style, italic: false }
    case 24:
      return { ...style, underlined: false }
    case 39:
      return { ...style, color: -1 }
    default:
      return style
  }
}

// indexedColor returns one of the 16 colors that is near one of the 256.
function indexedColor(index: number): number {
  if (index < 16) return index
  if (index >= 232) return index > 244 ? 7 : 8
  const n = index - 16
  const [r, g, b] = [Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6].map((c) => (c > 2 ? 1 : 0))
  return r! + 2 * g! + 4 * b! + 8 * Number(n > 107)
}
