// The policy of the page allows no style elements and no style attributes. The terminal
// creates both. While it is open, such elements set the same styles by script, which the
// policy allows. Its own option for another document does not cover all of its parts.

// useScriptStyles changes what the document creates, until the returned function is called.
export function useScriptStyles(document: Document): () => void {
  const sheets: CSSStyleSheet[] = []
  const create = Document.prototype.createElement.bind(document)
  const createElement = (tag: string, options?: ElementCreationOptions): HTMLElement => {
    if (tag === 'style') return sheetElement(create('template'), adopt(document, sheets))
    const element = create(tag, options)
    if (tag === 'span') redirectAttribute(element)
    return element
  }
  Object.defineProperty(document, 'createElement', { configurable: true, value: createElement })
  return () => {
    Reflect.deleteProperty(document, 'createElement')
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.includes(sheet))
  }
}

function adopt(document: Document, sheets: CSSStyleSheet[]): CSSStyleSheet {
  const sheet = new CSSStyleSheet()
  sheets.push(sheet)
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  return sheet
}

// sheetElement makes an element whose text becomes the content of a sheet.
function sheetElement(element: HTMLElement, sheet: CSSStyleSheet): HTMLElement {
  let text = ''
  return Object.defineProperty(element, 'textContent', {
    get: () => text,
    set: (value: string) => {
      text = value
      sheet.replaceSync(value)
    },
  })
}

function redirectAttribute(element: HTMLElement): void {
  element.setAttribute = (name: string, value: string) => {
    if (name === 'style') element.style.cssText = value
    else HTMLElement.prototype.setAttribute.call(element, name, value)
  }
}
